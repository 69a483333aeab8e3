// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event stream and the audit record as clients of the bus get them.
#![allow(clippy::unwrap_used, reason = "test code")]

mod stream_house;
#[path = "bus_support.rs"]
mod support;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::Duration;

use gasd::bus::BusStatus;
use gasd_abi::records::meter_key;
use gasd_abi::stream::{HELLO, METER, PULSE, READING, VALVE};
use gasd_proxy::{Client, ClientError};
use stream_house::{Next, all, kinds, must, next, pulse};
use support::{PrivateBus, Service, run};
use zbus::Variant;

type Options<'a> = HashMap<&'a str, Variant<'a>>;

async fn subscribe(client: &Client, options: Options<'_>) -> Result<OwnedFd, ClientError> {
    Ok(client.manager().await?.subscribe(options).await?.into())
}

fn refused(error: ClientError) -> (String, String) {
    match error {
        ClientError::Refused { name, text } => (name, text),
        other => panic!("{other}"),
    }
}

#[test]
fn a_subscriber_gets_what_it_chose_and_the_keys_are_on_the_bus() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let everything = subscribe(&client, Options::new()).await.unwrap();
        let options = Options::from([
            ("Meters", Variant::from(vec!["kitchen"])),
            ("Kinds", Variant::from(vec!["pulse", "verdict"])),
        ]);
        let chosen = subscribe(&client, options).await.unwrap();
        service.stream.tell(pulse(1));
        let mut all_kinds = vec![HELLO, METER, READING, METER, READING, VALVE, VALVE, PULSE];
        assert_eq!(kinds(&all(&everything)), all_kinds);
        all_kinds.retain(|kind| [HELLO, METER, PULSE].contains(kind));
        all_kinds.remove(1);
        assert_eq!(kinds(&all(&chosen)), all_kinds);
        let kitchen = client.meter("kitchen").await.unwrap();
        assert_eq!(kitchen.key().await.unwrap(), meter_key("kitchen"));
        assert_eq!(client.valve("main").await.unwrap().key().await.unwrap(), meter_key("main"));
        assert_eq!(client.manager().await.unwrap().subscribers().await.unwrap(), 2);
    });
}

#[test]
fn a_wrong_option_is_an_error_that_names_it() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        for (options, word) in [
            (Options::from([("meters", Variant::from(vec!["kitchen"]))]), "\"meters\" is not known"),
            (Options::from([("Meters", Variant::from(vec!["cellar"]))]), "\"cellar\""),
            (Options::from([("Kinds", Variant::from(vec!["telegram"]))]), "\"telegram\""),
            (Options::from([("Kinds", Variant::from(7u32))]), "expected names of kinds (as)"),
        ] {
            let (name, text) = refused(subscribe(&client, options).await.unwrap_err());
            assert_eq!(name, "InvalidArgs");
            assert!(text.contains(word), "{text}");
        }
    });
}

#[test]
fn a_subscription_outlives_the_bus_and_the_connection_that_made_it() {
    let mut bus = PrivateBus::start();
    let service = Service::start(&bus);
    let socket = run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        subscribe(&client, Options::new()).await.unwrap()
    });
    all(&socket);
    bus.kill();
    service.wait_for(|status| matches!(status, BusStatus::Failed { .. }));
    service.stream.tell(pulse(1));
    assert_eq!(must(&socket), pulse(1), "no bus is needed for it");
    bus.restart();
    service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
    service.stream.tell(pulse(2));
    assert_eq!(must(&socket), pulse(2));
    drop(service);
    assert_eq!(next(&socket, Duration::from_secs(10)), Next::End, "it ends with the service");
}

#[test]
fn the_record_is_read_page_by_page_while_the_service_runs() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let manager = client.manager().await.unwrap();
        let numbers = |entries: Vec<HashMap<String, zbus::OwnedVariant>>| {
            let number = |entry: &HashMap<String, zbus::OwnedVariant>| {
                u64::try_from(entry["Number"].try_clone().unwrap()).unwrap()
            };
            entries.iter().map(number).collect::<Vec<_>>()
        };
        let last = manager.audit(Options::new()).await.unwrap();
        assert_eq!(last[0].len(), 8, "all that an entry has");
        assert_eq!(numbers(last), (11..=30).collect::<Vec<_>>());
        let options = Options::from([("Last", Variant::from(4u32)), ("Before", Variant::from(11u64))]);
        assert_eq!(numbers(manager.audit(options).await.unwrap()), [7, 8, 9, 10]);
        for bad in [Variant::from(0u32), Variant::from(1001u32), Variant::from("all")] {
            let error = manager.audit(Options::from([("Last", bad)])).await.unwrap_err();
            assert_eq!(refused(error.into()).0, "InvalidArgs");
        }
    });
}
