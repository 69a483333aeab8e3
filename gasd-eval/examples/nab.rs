// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section "NAB".

fn main() -> std::io::Result<()> {
    match gasd_eval::nab::command::run()? {
        Some(section) => println!("{section}"),
        None => eprintln!("SKIPPED: no data/nab beside the workspace; GASD_SHARED tells where it is"),
    }
    Ok(())
}
