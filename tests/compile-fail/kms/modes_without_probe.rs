// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `add_modes_noedid`

// So modes can only be added while probing.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn add(probe: &ConnectorProbe<'_, CaseConnector>) -> u32 {
    probe.add_modes_noedid(1024, 768)
}

#[cfg(wrong)]
fn add(connector: &Connector<CaseConnector>) -> u32 {
    connector.add_modes_noedid(1024, 768) //~
}
