use crate::exit::Fatal;
#[derive(Debug, clap::Args)]
pub struct DemoArgs {}
pub fn run(_: &DemoArgs) -> Result<(), Fatal> { Ok(()) }
