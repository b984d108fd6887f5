pub(crate) fn run(_filter: &str) {}
