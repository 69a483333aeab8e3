// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl report`: what sensors beside a meter measure.

use std::collections::HashMap;

use gasd_proxy::{Client, ClientError};
use serde_json::json;

use crate::agent::with_password;
use crate::cli::ReportArgs;
use crate::fail::Failure;
use crate::output::Output;

/// Hands the values to the service, all in one call.
pub async fn run(client: &Client, args: &ReportArgs, out: &Output) -> Result<(), Failure> {
    let meter = client.meter(&args.meter).await?;
    let send = async || {
        let mut values = HashMap::new();
        values.extend(args.pressure_kpa.map(|kpa| ("pressure_kpa", kpa.into())));
        values.extend(args.seismic_gal.map(|gal| ("seismic_gal", gal.into())));
        values.extend(args.gas_alarm.map(|on| ("gas_alarm", on.is_on().into())));
        meter.report(values).await.map_err(ClientError::from)
    };
    match with_password(out, send).await {
        Ok(()) if out.json => out.object(&json!({ "ok": true, "command": "report", "meter": args.meter })),
        Ok(()) => out.line(&format!("meter {}: reported", args.meter)),
        Err(ClientError::NoSuchObject(_)) => {
            let known = client.state().await.map_err(Failure::reading)?.meters.into_keys();
            Err(Failure::NoSuchMeter { id: args.meter.clone(), known: known.collect() })
        }
        Err(error) => Err(Failure::controlling(error, "report what sensors measure")),
    }
}
