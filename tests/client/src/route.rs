// SPDX-License-Identifier: GPL-2.0

//! `route`: which CRTCs drive which connectors.

use crate::atomic::{Blob, Request, ALLOW_MODESET};
use crate::card::{Card, Kind};
use crate::error::{message, Error, What};
use crate::output::Output;

/// Carries out each of `commits`, and then one more, without a modeset, that changes nothing.
pub fn run(card: &Card, commits: &[String]) -> Result<(), Error> {
    let mode = Blob::of_mode(card, &Output::find(card)?.preferred_mode())?;
    for commit in commits {
        let mut changes = Vec::new();
        for change in commit.split(',') {
            changes.push(parse(card, change)?);
        }
        request(card, &changes, mode.id)?
            .commit(card, ALLOW_MODESET)
            .what(format!("the commit {commit}"))?;
    }
    request(card, &routes(card)?, mode.id)?
        .commit(card, 0)
        .what("a commit of what is there already")
}

/// The connector and the CRTC, or 0 for none, of a word like `0@1` or `0@-`.
fn parse(card: &Card, change: &str) -> Result<(u32, u32), Error> {
    let object = |kind, index: &str| {
        let index = index.parse().ok()?;
        Some(card.of_kind(kind).nth(index)?.id)
    };
    let both = change.split_once('@').and_then(|(connector, crtc)| {
        let crtc = match crtc {
            "-" => 0,
            index => object(Kind::Crtc, index)?,
        };
        Some((object(Kind::Connector, connector)?, crtc))
    });
    match both {
        Some(both) => Ok(both),
        None => message(format!("{change} is no connector and CRTC of the card")),
    }
}

/// All connectors and their CRTCs.
fn routes(card: &Card) -> Result<Vec<(u32, u32)>, Error> {
    card.of_kind(Kind::Connector)
        .map(|connector| Ok((connector.id, card.value(connector.id, "CRTC_ID")? as u32)))
        .collect()
}

/// Changes the CRTCs of some connectors. CRTCs are on if they drive a connector then.
fn request(card: &Card, changes: &[(u32, u32)], mode: u32) -> Result<Request, Error> {
    let mut after = routes(card)?;
    let mut request = Request::new();
    for (connector, crtc) in changes {
        for route in &mut after {
            if route.0 == *connector {
                route.1 = *crtc;
            }
        }
        request = request.set(card, *connector, "CRTC_ID", (*crtc).into())?;
    }
    for crtc in card.of_kind(Kind::Crtc) {
        let used = after.iter().any(|route| route.1 == crtc.id);
        let mode = if used { mode } else { 0 };
        request = request
            .set(card, crtc.id, "ACTIVE", used.into())?
            .set(card, crtc.id, "MODE_ID", mode.into())?;
    }
    Ok(request)
}
