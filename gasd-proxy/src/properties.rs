// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads single values out of a property dictionary. A value that is missing or of another type
//! leaves what is there: an older or newer service must not stop a client.

use std::collections::HashMap;

use zbus::OwnedVariant;

/// Properties of one interface, by name.
pub type Properties = HashMap<String, OwnedVariant>;

/// The value called `name`, if it is there and of the right type.
pub(crate) fn value<T>(properties: &Properties, name: &str) -> Option<T>
where
    T: TryFrom<OwnedVariant>,
{
    T::try_from(properties.get(name)?.try_clone().ok()?).ok()
}

/// Puts the value called `name` into `slot`, if it is there.
pub(crate) fn set<T>(slot: &mut T, properties: &Properties, name: &str)
where
    T: TryFrom<OwnedVariant>,
{
    if let Some(value) = value(properties, name) {
        *slot = value;
    }
}

/// Puts a name out of a documented list into `slot`; one that this client does not know becomes
/// `unknown`, as the interface's documents ask.
pub(crate) fn set_name(slot: &mut String, properties: &Properties, name: &str, known: &[&str]) {
    if let Some(value) = value::<String>(properties, name) {
        *slot = if known.contains(&value.as_str()) { value } else { "unknown".to_owned() };
    }
}
