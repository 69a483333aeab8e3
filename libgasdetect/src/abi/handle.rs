// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handles: what C holds is no address but a number in a pointer's clothes, so one that was freed, made up
//! or of another type is found out instead of followed.
//!
//! A word is `type` (4 bits), `generation` (16 bits) and `index` (12 bits, from 1). A slot's generation
//! moves on with each free, so a stale handle is found out until the slot was used 65,535 times again.

use std::sync::{Arc, PoisonError, RwLock};

use super::result::{Failure, gasd_result};

/// Handles of one type at the same time.
pub const MOST: usize = 4095;

const INDEX_BITS: u32 = 12;
const GENERATION_BITS: u32 = 16;

/// What a type of handle is.
pub trait Object: Send + Sync + Sized + 'static {
    /// Tells the types apart; 1 to 15.
    const TYPE: usize;
    /// How messages call it.
    const NAME: &'static str;
    /// Where they are.
    fn table() -> &'static Table<Self>;
}

/// All handles of a type.
#[derive(Debug)]
pub struct Table<T>(RwLock<Vec<Slot<T>>>);

#[derive(Debug)]
struct Slot<T> {
    generation: u16,
    object: Option<Arc<T>>,
}

impl<T> Table<T> {
    /// None yet.
    pub const fn new() -> Self {
        Self(RwLock::new(Vec::new()))
    }
}

/// A new handle.
///
/// # Errors
/// `GASD_LIMIT` when there are [`MOST`] of its type.
pub fn insert<T: Object>(object: Arc<T>) -> Result<*mut T, Failure> {
    let mut slots = T::table().0.write().unwrap_or_else(PoisonError::into_inner);
    let at = match slots.iter().position(|slot| slot.object.is_none()) {
        Some(at) => at,
        None if slots.len() < MOST => {
            slots.push(Slot { generation: 0, object: None });
            slots.len() - 1
        }
        None => {
            let message = format!("there are {MOST} handles of {} already; free what is not needed", T::NAME);
            return Err(Failure::new(gasd_result::GASD_LIMIT, message));
        }
    };
    slots[at].object = Some(object);
    let generation = usize::from(slots[at].generation);
    let word = T::TYPE << (INDEX_BITS + GENERATION_BITS) | generation << INDEX_BITS | (at + 1);
    Ok(std::ptr::without_provenance_mut(word))
}

/// What a handle is of.
///
/// # Errors
/// `GASD_NULL`, or `GASD_HANDLE` for one that is none (any more).
pub fn get<T: Object>(handle: *const T) -> Result<Arc<T>, Failure> {
    let (at, generation) = place(handle)?;
    let slots = T::table().0.read().unwrap_or_else(PoisonError::into_inner);
    match slots.get(at) {
        Some(Slot { generation: now, object: Some(object) }) if *now == generation => Ok(object.clone()),
        _ => Err(freed::<T>()),
    }
}

/// Takes a handle back; `None` for NULL.
///
/// # Errors
/// `GASD_HANDLE` for one that is none (any more).
pub fn remove<T: Object>(handle: *mut T) -> Result<Option<Arc<T>>, Failure> {
    if handle.is_null() {
        return Ok(None);
    }
    let (at, generation) = place(handle.cast_const())?;
    let mut slots = T::table().0.write().unwrap_or_else(PoisonError::into_inner);
    match slots.get_mut(at) {
        Some(slot) if slot.generation == generation && slot.object.is_some() => {
            slot.generation = slot.generation.wrapping_add(1);
            Ok(slot.object.take())
        }
        _ => Err(freed::<T>()),
    }
}

fn place<T: Object>(handle: *const T) -> Result<(usize, u16), Failure> {
    let word = handle.addr();
    if word == 0 {
        let message = format!("{} is NULL", T::NAME);
        return Err(Failure::new(gasd_result::GASD_NULL, message));
    }
    let index = word & ((1 << INDEX_BITS) - 1);
    if word >> (INDEX_BITS + GENERATION_BITS) != T::TYPE || index == 0 {
        let message = format!("the handle is no {}: freed memory, or another type", T::NAME);
        return Err(Failure::new(gasd_result::GASD_HANDLE, message));
    }
    // Sixteen bits, so nothing is cut.
    Ok((index - 1, (word >> INDEX_BITS & 0xffff) as u16))
}

fn freed<T: Object>() -> Failure {
    Failure::new(gasd_result::GASD_HANDLE, format!("the {} was freed", T::NAME))
}

/// Gives a type its table.
macro_rules! object {
    ($type:ty, $number:literal, $name:literal) => {
        impl $crate::abi::handle::Object for $type {
            const TYPE: usize = $number;
            const NAME: &'static str = $name;
            fn table() -> &'static $crate::abi::handle::Table<Self> {
                static TABLE: $crate::abi::handle::Table<$type> = $crate::abi::handle::Table::new();
                &TABLE
            }
        }
    };
}
pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    struct Apple(u32);
    struct Pear;
    object!(Apple, 14, "apple");
    object!(Pear, 15, "pear");

    fn result<T>(found: Result<T, Failure>) -> gasd_result {
        found.err().map_or(gasd_result::GASD_OK, |failure| failure.result)
    }

    #[test]
    fn only_a_handle_that_lives_is_followed() {
        let apple = insert(Arc::new(Apple(7))).unwrap();
        assert_eq!(get(apple.cast_const()).unwrap().0, 7);
        assert_eq!(result(get(apple.cast_const().cast::<Pear>())), gasd_result::GASD_HANDLE);
        assert_eq!(result(get(std::ptr::null::<Apple>())), gasd_result::GASD_NULL);
        let strange = 7u64;
        assert_eq!(result(get((&raw const strange).cast::<Apple>())), gasd_result::GASD_HANDLE);
        assert!(remove(apple).unwrap().is_some());
        assert_eq!(result(get(apple.cast_const())), gasd_result::GASD_HANDLE);
        assert_eq!(result(remove(apple)), gasd_result::GASD_HANDLE);
        assert!(remove::<Apple>(std::ptr::null_mut()).unwrap().is_none());
        // The slot is used again; the old handle stays dead.
        let next = insert(Arc::new(Apple(8))).unwrap();
        assert_ne!(apple, next);
        assert_eq!(result(get(apple.cast_const())), gasd_result::GASD_HANDLE);
        assert_eq!(get(next.cast_const()).unwrap().0, 8);
        remove(next).unwrap();
    }
}
