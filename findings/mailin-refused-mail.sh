#!/usr/bin/env bash
# mailin 0.6.5 (crates.io), the SMTP state machine that mailcrab builds on, too.
#
# Expectation: if a handler returns an error from `data_end`, such as 552 (too large) or 451 (not stored), the mail is rejected, and the
# session continues with the next command, as RFC 5321 specifies.
# Observation: only a positive reply ends the mail. After an error the session is still in the state DATA: each further line of the client
# is passed to `Handler::data` as text of the rejected mail, and gets no reply.
# Impact: a client that sends RSET or QUIT after the rejection waits until its own timeout, and the next mail of the connection becomes part
# of the old one. A server that uses mailin has to close the connection after such a reply.
# Evidence: `QUIT` gets no reply (Action::NoReply) and arrives in `data`. Source: mailin's src/fsm.rs, state Data, Cmd::DataEnd.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'MANIFEST'
[package]
name = "refused"
edition = "2024"

[dependencies]
mailin = "=0.6.5"
MANIFEST
cat >"$work/src/main.rs" <<'PROGRAM'
use std::io;

use mailin::response::NO_STORAGE;
use mailin::{Action, Handler, Response, SessionBuilder};

struct Full(Vec<String>);

impl Handler for &mut Full {
    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.push(String::from_utf8_lossy(line).trim_end().to_owned());
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        NO_STORAGE
    }
}

fn main() {
    let mut handler = Full(Vec::new());
    let mut answers = Vec::new();
    let mut session = SessionBuilder::new("server").build([127, 0, 0, 1].into(), &mut handler);
    for line in ["EHLO client", "MAIL FROM:<a@shop.example>", "RCPT TO:<b@shop.example>", "DATA", "Subject: hello", "", "text", ".", "QUIT"] {
        let answer = session.process(format!("{line}\r\n").as_bytes());
        answers.push((line, answer.code, answer.action == Action::NoReply));
    }
    drop(session);
    println!("after the mail: {:?}; text: {:?}", &answers[7..], handler.0);
    let refused = answers[7] == (".", 552, false);
    assert!(refused && answers[8].2 && handler.0.last().is_some_and(|line| line == "QUIT"), "this has changed");
}
PROGRAM
cargo run --quiet --manifest-path "$work/Cargo.toml"
