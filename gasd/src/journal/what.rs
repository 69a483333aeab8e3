// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the journal is told of, each with its `MESSAGE_ID`. `systemd/gasd.catalog` explains them.

/// How much it matters, as the journal's `PRIORITY` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// `crit`: somebody must act now; gas is or may be flowing where it should not.
    Critical,
    /// `err`: something does not work.
    Error,
    /// `warning`: something will not work, or is not as it should be.
    Warning,
    /// `notice`: worth knowing.
    Notice,
    /// `info`: as it should be.
    Info,
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident $priority:ident $id:literal),+ $(,)?) => {
        /// Something that the journal is told of. An id is never used for anything else, and the id of
        /// something that is no more is not used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum What { $($(#[$doc])* $name),+ }

        impl What {
            /// All of them.
            pub const ALL: &[What] = &[$(What::$name),+];

            /// `MESSAGE_ID`: 128 bits, as 32 lower-case hexadecimal digits.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(What::$name => $id),+ }
            }

            /// How much it matters; a verdict's own severity says more.
            #[must_use]
            pub const fn priority(self) -> Priority {
                match self { $(What::$name => Priority::$priority),+ }
            }
        }
    };
}

table! {
    /// A verdict: flow rose suddenly and was confirmed.
    Surge Critical "d1d120d81d0d4124a522028b159c76fb",
    /// A verdict: a suspected or confirmed surge still flows.
    SustainedFlow Critical "4c870d6526654ccb8f5f18f3db064a4d",
    /// A verdict: a suspected surge was over by itself.
    TransientFlow Info "79ce41023b214c23981d7e5c5a5452db",
    /// A verdict: pulses come faster than the meter can turn.
    ImplausibleRate Warning "439a1c1af7b94f55b90753216e07af8b",
    /// A verdict: a line chatters.
    EdgeStorm Warning "e203457c9d574b5c99d2b3830d4f1905",
    /// A verdict: more flows than all appliances take together, or than the meter may.
    Overload Critical "f97a3abe08184da2851a2d1388468b1b",
    /// A verdict: a flow lasts longer than such a flow should.
    LongUse Warning "e89eb9598ec7442d87f6000df02ca602",
    /// A verdict: gas is used at an hour at which the home hardly ever uses any.
    UnusualHour Warning "91ca647b8e1448f298c1e43dc09c5283",
    /// A verdict: what flows when nobody uses gas has risen.
    BaseFlow Warning "b23bc00ddb144099bc7b957268917106",
    /// A verdict: the gas has not rested for longer than it should.
    NeverZero Warning "156c65da70ac4e1390cdef41da9496a7",
    /// A verdict: no gas for longer than ever: the meter or its contact may be stuck.
    SilentMeter Notice "e32181a9265f4a58a830a0ae81aff9dc",
    /// A verdict: gas flows right after the valve was opened.
    FlowAfterOpening Critical "a2bfcffa72d543658e70b206f23ce952",
    /// A verdict: gas flows though the valve is closed.
    FlowWhileClosed Critical "a65839016c464bf397a4d3a662b2e8bd",
    /// A verdict: the pressure is low while gas flows.
    LowPressure Critical "b9e6f063302f425594a94d53a85a80d1",
    /// A verdict: gas flows after an earthquake.
    Earthquake Critical "bcf0b49039444507929009bf98455e92",
    /// A verdict: a gas detector gives alarm.
    GasAlarm Critical "b933c67a795149329fe02fd333bff18e",
    /// A verdict: the meter's register went back.
    ReverseFlow Warning "f240456eb59343e0a270c93e853525d6",
    /// A verdict of a kind that has no id of its own yet.
    OtherVerdict Warning "e966df302b6949e0b2db8d480a67734c",

    /// What was learned of a home cannot be used and was kept aside.
    LearnedLost Warning "26145cee0d0c401a86af4fb05282c19e",
    /// What was learned of a home before a change of the configuration is used again.
    LearnedBack Notice "4cefd41a72834d06ad213b71847dda46",

    /// A valve is closed now.
    ValveClosed Notice "9563f3c7b41345f09b555f519c7b596b",
    /// A valve is open now.
    ValveOpened Notice "79a0fcae154444e681a45628ef998316",
    /// A valve could not be driven, or is not where it was told to be.
    ValveFault Critical "fa6680d8d7f14a3d938f96430cc1b2a7",
    /// A valve works again.
    ValveWell Notice "88ee5932215e4a7aa5c42f6980a3b2a7",
    /// A valve is not configured any more, and something is held for it.
    ValveUnconfigured Warning "334919256b664516aae4cb80ffbdd68c",

    /// A meter's line is gone or cannot be read.
    LineLost Error "8de569f2ab3747ca8f9bb869e2c5807f",
    /// A meter's line works again.
    LineBack Notice "a04fe99e78d2452e843f7e6ea3a8fc3a",
    /// The service manager did not keep a line.
    LineNotKept Warning "ef4964a17001478db129c234cbc403d7",

    /// A port of meters is gone or cannot be opened.
    PortLost Error "24edddc3537845309304d3a09e50158c",
    /// A port of meters is open.
    PortBack Notice "969f05026e8d438281d7626c40686232",

    /// What was remembered of a meter on a port cannot be used.
    MemoryLost Notice "db45e6367d074168b19fe6ba2fbabebb",
    /// What a meter on a port speaks has been found out.
    ProtocolFound Notice "28480fb363854fdc951a83b156973992",
    /// Another address answered than the one that was asked.
    OtherAddress Warning "d42f7a3643f148cdaba10c16745490d8",
    /// An answer of a meter came when it was awaited no more.
    LateAnswer Warning "c406784f4c61459098e1eef42e523bf4",
    /// One request to a meter had two answers.
    TwoAnswers Warning "961699e197b24c648c697c07d4c4b312",
    /// The supply of a port of meters is low.
    PowerLow Warning "14b4969c0a26488dabf32c3d627aace9",
    /// It is well again.
    PowerWell Notice "193a09fe40cf4b1293ad27ec7c17af3d",

    /// The filter runs in user space.
    Userspace Warning "438a4aef65494d7ab3e4f8b8b9185d50",
    /// Interrupts found no pulse program and were not counted.
    SlotEmpty Critical "20fbb1fc24144b67a774d850740e9ee5",
    /// The kernel refused something while the service ran.
    KernelFault Error "beaca4d795de42cb9cfa6ed9aa933cfd",
    /// Events did not reach the engine; their pulses are counted.
    EventsMissed Warning "ec72966e56cb4f509b7858884f494711",

    /// The disk is full: totals, holds and records wait in memory.
    StoreFull Error "a795ab32869f4a87be1bbb0b5cd85003",
    /// The store cannot be written: its file system is read-only.
    StoreReadOnly Error "a4762c51c81b42cab50c396bab10f494",
    /// The store cannot be written for another reason.
    StoreFault Error "c80c3dc3a5f44e98ad683d3db498f378",
    /// The store is written again.
    StoreWell Notice "991a0d5037044566b7fc02a3d0ad4382",
    /// The store was damaged and was set aside.
    StoreDamaged Critical "8b10cbf110944f838558af54cc0478e5",
    /// The store was written by a newer gasd and was set aside.
    StoreNewer Critical "e89245332e404ba78bc7ae301af813b0",

    /// The service is on the bus.
    BusServing Info "690f8ce6e8884c278c909f5b8a612d16",
    /// The service is not on the bus.
    BusLost Warning "344cb79801304ce0b7d491c63c0f58e4",

    /// No meter is configured.
    NoMeter Warning "a944dd6550344b4da776316ec4f73add",
    /// The configuration says something that a person should know.
    ConfigurationWarning Warning "c7f71c37d0b348529e98f174d7e52cfe",
    /// Another configuration is in force.
    ConfigurationChanged Notice "d3bde9d4de27411f9110c1f720549bff",
    /// A new configuration was refused, the one before stays in force.
    ConfigurationRefused Error "b3f7dca5c99f475e9aea330898b7a573",

    /// A commissioning test: that it begins or ends, and every verdict of it.
    Simulation Notice "1d141cc4558547d9a5e28bcb14a14a8c",

    /// The service watches its meters.
    Started Info "8dabebdf0be14e2e97fe6b1b6e989aed",
    /// The service ends.
    Stopping Info "bf911d2a629049afb120cef19d862d2c",
    /// A command, the service for instance, ended with an error.
    Failed Error "8859ab06d4a244a4b6c397280549a889",
    /// A thread stands still; the service manager will restart the service.
    Stalled Critical "39034390edf745c8a63988464bfb03f7",
}

impl What {
    /// The verdict of that kind, by [`gasd_detect::Kind::name`].
    #[must_use]
    pub fn verdict(kind: &str) -> Self {
        match kind {
            "surge" => Self::Surge,
            "sustained-flow" => Self::SustainedFlow,
            "transient-flow" => Self::TransientFlow,
            "implausible-rate" => Self::ImplausibleRate,
            "edge-storm" => Self::EdgeStorm,
            "overload" => Self::Overload,
            "long-use" => Self::LongUse,
            "unusual-hour" => Self::UnusualHour,
            "base-flow" => Self::BaseFlow,
            "never-zero" => Self::NeverZero,
            "silent-meter" => Self::SilentMeter,
            "flow-after-opening" => Self::FlowAfterOpening,
            "flow-while-closed" => Self::FlowWhileClosed,
            "low-pressure" => Self::LowPressure,
            "earthquake" => Self::Earthquake,
            "gas-alarm" => Self::GasAlarm,
            "reverse-flow" => Self::ReverseFlow,
            _ => Self::OtherVerdict,
        }
    }
}

impl Priority {
    /// Of a verdict's severity, by [`gasd_detect::Severity::name`]; one that is not known is no trifle.
    #[must_use]
    pub fn of_severity(severity: &str) -> Self {
        match severity {
            "critical" => Self::Critical,
            "notice" => Self::Notice,
            "info" => Self::Info,
            _ => Self::Warning,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use gasd_detect::{KINDS, Severity};

    use super::*;

    #[test]
    fn ids_are_128_bits_and_no_two_are_the_same() {
        let ids: HashSet<&str> = What::ALL.iter().map(|what| what.id()).collect();
        assert_eq!(ids.len(), What::ALL.len());
        for id in ids {
            assert!(
                id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
                "{id}"
            );
        }
    }

    #[test]
    fn every_kind_of_verdict_has_its_own() {
        let ids: HashSet<&str> = KINDS.iter().map(|kind| What::verdict(kind.name()).id()).collect();
        assert_eq!(ids.len(), KINDS.len());
        assert!(!ids.contains(What::OtherVerdict.id()));
        assert_eq!(What::verdict("leak"), What::OtherVerdict);
    }

    #[test]
    fn severities_keep_their_order() {
        let severities = [Severity::Critical, Severity::Warning, Severity::Notice, Severity::Info];
        let priorities = severities.map(|severity| Priority::of_severity(severity.name()));
        assert_eq!(priorities, [Priority::Critical, Priority::Warning, Priority::Notice, Priority::Info]);
        assert_eq!(Priority::of_severity("catastrophic"), Priority::Warning);
    }
}
