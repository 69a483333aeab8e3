use crate::exit::Fatal;
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {}
pub fn run(_: &ReplayArgs) -> Result<(), Fatal> { Ok(()) }
