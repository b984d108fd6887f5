// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// The locks that probing needs are held during the callback.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(
    slot: &mut Option<&'a ConnectorProbe<'a, CaseConnector>>,
    probe: &'a ConnectorProbe<'a, CaseConnector>,
) {
    *slot = Some(probe);
}

#[cfg(wrong)]
fn store<'a>(
    slot: &mut Option<&'static ConnectorProbe<'static, CaseConnector>>,
    probe: &'a ConnectorProbe<'a, CaseConnector>,
) {
    *slot = Some(probe); //~
}
