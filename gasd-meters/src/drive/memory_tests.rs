// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        any::<u8>().prop_map(Address::Polling),
        (any::<u16>(), any::<[u8; 3]>()).prop_map(|(kind, id)| Address::Unique { kind, id }),
    ]
}

fn selects() -> impl Strategy<Value = HartSelect> {
    prop_oneof![
        any::<u8>().prop_map(HartSelect::Poll),
        ".{0,32}".prop_map(HartSelect::Tag),
        addresses().prop_map(HartSelect::Long),
    ]
}

fn memories() -> impl Strategy<Value = Memory> {
    let order = prop_oneof![Just(None), Just(Some(Order::HighFirst)), Just(Some(Order::LowFirst))];
    let link = option::of((any::<u8>(), any::<bool>()).prop_map(|(address, turned)| {
        let mut count = FrameCount::after_reset();
        if turned {
            count.answered();
        }
        (address, count)
    }));
    prop_oneof![
        Just(Kept::Nothing),
        (order, any::<u8>()).prop_map(|(order, ser)| Kept::Cjt188 { order, ser }),
        (link, any::<bool>(), vec(any::<([u8; 4], u32)>(), 0..=4)).prop_map(|(link, silent, counters)| {
            let counters = counters.into_iter().map(|(check, counter)| Counted { check, counter });
            Kept::Mbus { link, silent, counters: counters.collect() }
        }),
        vec(option::of(vec(any::<u8>(), 0..8)), 0..8)
            .prop_map(|parts| Kept::Modbus(modbus::Memory::from_parts(parts))),
        (selects(), addresses(), any::<u8>()).prop_map(|(select, address, preambles)| Kept::Hart {
            select,
            address,
            preambles
        }),
    ]
    .prop_map(Memory)
}

proptest! {
    #[test]
    fn what_lasts_comes_back(memory in memories()) {
        prop_assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory.lasting()));
    }

    #[test]
    fn what_is_damaged_is_nothing(
        memory in memories(),
        at in any::<proptest::sample::Index>(),
        bit in 0..8u8,
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = memory.to_bytes();
        prop_assert_eq!(Memory::from_bytes(&bytes[..cut.index(bytes.len())]), None);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(Memory::from_bytes(&bytes), None);
    }

    #[test]
    fn any_bytes_are_a_memory_or_nothing(mut bytes in vec(any::<u8>(), 0..64), right in any::<bool>()) {
        if right {
            bytes.insert(0, VERSION);
            bytes.extend(crc::en13757(&bytes).to_le_bytes());
        }
        if let Some(memory) = Memory::from_bytes(&bytes) {
            prop_assert_eq!(memory.lasting(), memory.clone());
            prop_assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory));
        }
    }
}

#[test]
fn another_version_is_nothing() {
    for version in [0, 2, 255] {
        let mut bytes = vec![version, 0];
        bytes.extend(crc::en13757(&bytes).to_le_bytes());
        assert_eq!(Memory::from_bytes(&bytes), None);
    }
}
