// SPDX-License-Identifier: GPL-2.0

//! Checksums that are read while the device goes away.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::sync::mpsc;
use std::thread;

use rustix::io::Errno;
use rustix::system::delete_module;

use crate::atomic::ALLOW_MODESET;
use crate::card::Card;
use crate::crc::Crc;
use crate::error::{Error, What};
use crate::output::{Screen, PATIENCE};
use crate::testlist::{fail, refused, skip, Verdict};
use crate::unbind::Method;

/// Takes a device away while somebody waits for the checksum of a frame that never comes. `card` only says which driver
/// it is.
pub fn test(card: &Card, module: &str) -> Verdict {
    let method = match Method::find(card) {
        Ok(method) => method,
        Err(error) => return skip(error.to_string()),
    };
    let result = read_while_gone(&method);
    method.clean_up();
    let Some(file) = result? else {
        return skip("there are no checksums");
    };
    // The file is closed by a function of the driver.
    let name = CString::new(module.replace('-', "_")).unwrap_or_default();
    refused(
        "unloading the module while the file is open",
        delete_module(&name, 0),
        &[Errno::AGAIN],
    )?;
    drop(file);
    Ok(())
}

/// Returns the file, still open.
fn read_while_gone(method: &Method) -> Result<Option<File>, crate::testlist::Stop> {
    let Some(file) = start(method)? else {
        return Ok(None);
    };
    let reader = file.try_clone().what("dup of crc/data")?;
    let (ended, ends) = mpsc::channel();
    let read = thread::spawn(move || {
        let _ = ended.send(read_to_end(&reader));
    });

    let (taken, takes) = mpsc::channel();
    let remover = {
        let method = method.clone();
        thread::spawn(move || {
            let _ = taken.send(method.take_away());
        })
    };
    match takes.recv_timeout(PATIENCE) {
        Ok(result) => result?,
        Err(_) => return fail("the device does not go away while somebody reads"),
    }
    let _ = remover.join();
    match ends.recv_timeout(PATIENCE) {
        Ok(Errno::IO) => {}
        Ok(errno) => return fail(format!("the read ends with {errno}, EIO expected")),
        Err(_) => return fail("the read does not end"),
    }
    let _ = read.join();
    method.bring_back()?;
    Ok(Some(file))
}

/// Starts checksums, and turns the output off so that there are no more of them.
fn start(method: &Method) -> Result<Option<File>, Error> {
    let card = Card::open_path(&method.card()?)?;
    let screen = Screen::new(&card)?;
    let Some(crc) = Crc::start(&screen)? else {
        return Ok(None);
    };
    screen
        .off()?
        .commit(&card, ALLOW_MODESET)
        .what("turning the output off")?;
    Ok(Some(crc.into_file()))
}

fn read_to_end(mut file: &File) -> Errno {
    let mut buffer = [0u8; 512];
    loop {
        if let Err(error) = file.read(&mut buffer) {
            return Errno::from_io_error(&error).unwrap_or(Errno::INVAL);
        }
    }
}
