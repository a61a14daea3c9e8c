"""The life of a new service in a clone: it is generated, tested on real servers, started and called; its contract is changed, and the
compiler names what to do each time; it is removed."""

import os
import re
import shutil
import subprocess
import sys
import time

import harness
from harness import Mart, expect, run

CONTRACT = "proto/mart/review/v1/review_service.proto"
RESOURCE = "proto/mart/review/v1/review.proto"
EVENTS = "proto/mart/review/v1/review_events.proto"
# The lines by which README generates and removes a service.
README = [
    "cargo martgen new-service review --consumes product.ProductArchived",
    "cargo martgen check",
    "./mart test review",
    "cargo martgen remove-service review",
]
# With these two packages, the dependencies have the features that they were built with.
CLIPPY = ["cargo", "clippy", "--quiet", "--all-targets", "--all-features", "--package", "devstack", "--package", "features"]
FIXTURE = harness.ROOT / "martgen/tests/fixtures"
HTTP = "services/review/service/src/adapters/http.rs"

APPROVE = """  // Approves a review.
  rpc ApproveReview(ApproveReviewRequest) returns (ApproveReviewResponse) {
    option (google.api.http) = {
      post: "/v1/reviews/{review_id}/approve"
      body: "*"
    };
    option (mart.options.v1.operation) = {
      auth: [AUTH_ADMIN]
      rate_limit: {per_minute: 600}
      errors: ["REVIEW_NOT_FOUND"]
    };
  }
"""
MESSAGES = """
// Request of ApproveReview.
message ApproveReviewRequest {
  // The review's id.
  string review_id = 1 [(buf.validate.field).string.uuid = true];
}

// Response of ApproveReview.
message ApproveReviewResponse {}
"""
APPROVED = """
// A review was approved.
message ReviewApproved {
  option (mart.options.v1.event) = {
    topic: "mart.review.v1"
    key: "review.review_id"
  };
  // The review after the event.
  Review review = 1;
}
"""


def martgen(folder, *words, success=True):
    return run(folder, "cargo", "martgen", *words, success=success)


def compiled(folder, package="review-service"):
    """Compiles the new service. Returns the exit status and the messages."""
    # With clippy, because everything else was already checked with clippy.
    words = ["cargo", "clippy", "--quiet", "--workspace", "--bin", package]
    done = subprocess.run(words, cwd=folder, env=harness.environment(folder), capture_output=True, text=True)
    return done.returncode, done.stderr


def changed(folder, what, edits, code, place):
    """Changes a contract. The compiler must name the command before `generate`, and the code to change after it. After the change
    is reverted, no file may differ."""
    before = {path: (folder / path).read_text() for path, _ in edits}
    for path, edit in edits:
        text = edit((folder / path).read_text())
        expect(f"{what}: the contract changes", text != before[path])
        (folder / path).write_text(text)
    status, output = compiled(folder)
    expect(f"{what}: the compiler names the command", status != 0 and "cargo martgen generate" in output, output)
    martgen(folder, "generate")
    status, output = compiled(folder)
    expect(f"{what}: the compiler names the code to change", status != 0 and code in output and place in output, output)
    for path, text in before.items():
        (folder / path).write_text(text)
    martgen(folder, "generate")
    left = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True).stdout
    expect(f"{what}: no file differs after the change is reverted", left.strip() == "", left)


def main():
    folder = harness.make("clone")
    made, checked, tested, removed = README
    expect("README has the same commands", "\n".join(["```sh", *README, "```"]) in (folder / "README.md").read_text())
    identity = ["-c", "user.name=mart", "-c", "user.email=mart@mart.example"]

    harness.log("a service from a sample contract")
    output = run(folder, "bash", "-c", made)
    call = re.search(r"\./mart call POST /v1/reviews .*", output).group(0)
    expect("new-service prints the command that undoes it", removed in output, output)
    run(folder, "bash", "-c", checked)
    run(folder, "cargo", "fmt", "--all", "--check")
    run(folder, *CLIPPY, "--locked", "--package", "review-core", "--package", "review-service", "--", "-D", "warnings")
    expect("it compiles without a warning", True)
    # One seed is enough here: CI runs the same scenarios with more.
    output = run(folder, "env", "SEED=1", "bash", "-c", tested)
    expect("its tests pass on real servers", ", 0 failed, 0 skipped" in output and "review_is_read_back_after_update" in output, output[-2000:])

    harness.log("the service runs beside the others")
    mart = Mart(folder).ready()
    output = run(folder, "bash", "-c", call)
    expect("it creates a review and publishes the event", "201 Created" in output and "ReviewCreated" in output, output)
    kite = '{"slug":"kite","name":"Kite","status":"PRODUCT_STATUS_ACTIVE","prices":[{"amount":"900.00","currencyCode":"PKR"}]}'
    output = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "admin")
    product = re.search(r'"productId": "([0-9a-f-]+)"', output).group(1)
    run(folder, "./mart", "call", "POST", f"/v1/products/{product}/archive", "--as", "admin")
    count = "select 'receipts: ' || count(*) from receipt where scope = 'review.product-archived'"
    deadline = time.monotonic() + 300
    while "receipts: 1" not in (output := run(folder, "./mart", "psql", "review", "-c", count)):
        if time.monotonic() > deadline:
            harness.fail(f"the event was not consumed:\n{output}")
        time.sleep(0.2)
    expect("it consumes the event", True)
    mart.stop()

    harness.log("its contract changes")
    harness.git("add", "-A", cwd=folder)
    harness.git(*identity, "commit", "--quiet", "-m", "review", cwd=folder)
    delete = "  // Deletes a review for good.\n"
    changed(folder, "an operation", [(CONTRACT, lambda text: text.replace(delete, f"{APPROVE}\n{delete}") + MESSAGES)],
            "error[E0046]", "approve_review")
    changed(folder, "an event", [(EVENTS, lambda text: text + APPROVED)], "error[E0", "ReviewApproved")
    hidden = "  // It was hidden.\n  REASON_REVIEW_HIDDEN = 4 [(mart.options.v1.status) = 409];\n"
    page = "  // The page token was not issued by this list.\n"
    reason = [(CONTRACT, lambda text: text.replace('["REVIEW_DELETED"]', '["REVIEW_DELETED", "REVIEW_HIDDEN"]').replace(page, hidden + page))]
    changed(folder, "an error reason", reason, "`ReviewHidden` is never constructed", "the HTTP adapter must return")
    more = '  // How good it is.\n  int32 stars = 7;\n}\n'
    changed(folder, "a field", [(RESOURCE, lambda text: text.rstrip().removesuffix("}") + more)],
            "error[E0063]", "services/review/service/src/adapters/proto.rs")
    consumed = '''      {
        event: "mart.product.v1.ProductActivated"
        handler: "review.product-activated"
      },
'''
    changed(folder, "a consumed event", [(CONTRACT, lambda text: text.replace("    consumes: [\n", f"    consumes: [\n{consumed}"))],
            "error[E0046]", "on_product_activated")

    harness.log("an operation is removed")
    text = (folder / CONTRACT).read_text()
    start = text.index(delete)
    (folder / CONTRACT).write_text(text[:start] + text[text.index("\n  }\n", start) + 5:])
    martgen(folder, "generate")
    status, output = compiled(folder)
    expect("the compiler names the obsolete method", "error[E0407]" in output and HTTP in output, output)
    output = martgen(folder, "check")
    expect("check reports its scaffold file", "delete_review.rs was generated for delete_review" in output, output)
    harness.git("checkout", "--quiet", ".", cwd=folder)

    harness.log("the service is removed")
    run(folder, "bash", "-c", removed)
    left = harness.git("diff", "--stat", "HEAD~1", cwd=folder)
    expect("no file differs", left == "", left)
    run(folder, "cargo", "metadata", "--locked", "--format-version", "1", "--no-deps")
    harness.git("reset", "--quiet", "--hard", "HEAD~1", cwd=folder)


def contracts():
    """Generates services from contracts of every kind: a resource with every kind of field, an almost empty contract, a contract with
    many messages, a name of two words, and a contract with every option that contracts may have."""
    folder = harness.make("clone")
    harness.log("services from their contracts, with Debian's protoc on the PATH")
    old = folder / "target" / "old"
    old.mkdir(exist_ok=True)
    (old / "protoc").write_text('#!/bin/sh\n[ "$1" = --version ] && echo libprotoc 3.21.12\n')
    (old / "protoc").chmod(0o755)
    os.environ["PATH"] = f"{old}:{os.environ['PATH']}"
    # Rebuilds the crate whose build script runs protoc.
    run(folder, "cargo", "clean", "--quiet", "--package", "prost-protovalidate-types")
    from_contracts = ["voucher", "quiet", "idle"]
    kept = [folder / f"proto/mart/{name}/v1/{name}.proto" for name in from_contracts]
    for contract in kept:
        contract.parent.mkdir(parents=True)
        shutil.copy(FIXTURE / contract.name, contract)
        if contract.stem == "idle":
            many = (f"\n// Message {nth}.\nmessage Message{nth} {{\n  // A field.\n  string field = 1;\n}}\n" for nth in range(200))
            contract.write_text(contract.read_text() + "".join(many))
        output = martgen(folder, "new-service", contract.stem)
        expect(f"{contract.stem}: everything is generated", "from its contract" in output and "not generated" not in output, output)
    # A name of two words is rendered in every case style.
    martgen(folder, "new-service", "gift_card", "--consumes", "product.ProductArchived", "--consumes", "product.ProductActivated")
    run(folder, "cargo", "fmt", "--all", "--check")
    odd(folder)

    names = [*from_contracts, "gift_card", "odd"]
    packages = [word for name in names for part in ("core", "service") for word in ("--package", f"{name}-{part}")]
    run(folder, *CLIPPY, "--locked", *packages, "--", "-D", "warnings")
    documented = [word for word in CLIPPY if word not in ("clippy", "--all-targets")]
    run(folder, "env", "RUSTDOCFLAGS=-D warnings", documented[0], "doc", "--no-deps", *documented[1:], "--package", "odd-service")
    expect("code and documentation have no warnings", True)
    output = run(folder, "env", "SEED=1", "./mart", "test", *names)
    wanted = ("voucher_is_read_back_after_update", "every_kind_of_field_is_returned_unchanged", "every_kind_of_query_parameter_is_returned")
    expect("their tests pass on real servers", ", 0 failed, 0 skipped" in output and all(f"{name} ... ok" in output for name in wanted), output[-3000:])
    martgen(folder, "check")
    output = run(folder, "./mart", "test", "lint", success=None)
    expect("their API documents are valid", "Your API descriptions are valid" in output and "asyncapi.cjs" not in output, output[-3000:])
    martgen(folder, "remove-service", "odd", "--force")
    for name in names[:-1]:
        martgen(folder, "remove-service", name)
    expect("their contracts are kept", all(contract.is_file() for contract in kept))
    run(folder, "bash", "-c", "git checkout --quiet . && git clean -fdq proto services features")


def odd(folder):
    """Generates a service from a contract with every option that contracts may have, with a byte order mark and CRLF line ends."""
    harness.log("a service from an odd contract")
    martgen(folder, "new-service", "odd")
    # Removes the sample's reasons, because strange.proto has its own.
    service = folder / "proto/mart/odd/v1/odd_service.proto"
    text = service.read_text()
    start = text.index("// The reason of a failed operation.")
    service.write_text(text[:start] + text[text.index("\n}\n", start) + 4:])
    strange = (FIXTURE / "strange.proto").read_text().replace("\n", "\r\n")
    (folder / "proto/mart/odd/v1/strange.proto").write_bytes(b"\xef\xbb\xbf" + strange.encode())
    martgen(folder, "generate")
    status, output = compiled(folder, "odd-service")
    expect("the compiler names what has to be implemented", status != 0 and "StrangeService" in output and "missing: `impl`" in output, output)
    adapters = folder / "services/odd/service/src/adapters"
    shutil.copy(FIXTURE / "strange.rs", adapters / "strange.rs")
    edit(adapters / "mod.rs", "pub mod postgres;", "pub mod postgres;\nmod strange;")
    edit(adapters / "events.rs", "impl Messages for OddMessages {", """impl Messages for OddMessages {
    fn r#impl(event: &events::Impl) -> v1::Impl {
        v1::Impl { r#type: event.id.0.to_string() }
    }
""")
    events = folder / "services/odd/core/src/domain/events.rs"
    edit(events, "pub enum OddEvent {", "pub enum OddEvent {\n    /// An odd event.\n    Impl(Impl),")
    edit(events, "impl OddEvent {", """/// An odd event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impl {
    /// The id of the aggregate.
    pub id: super::OddId,
    /// The version of the aggregate after the event.
    pub version: Version,
}

impl OddEvent {""")
    begin = "    fn aggregate(&self) -> (Uuid, Version) {\n        match self {\n"
    edit(events, begin, f"{begin}            Self::Impl(event) => (event.id.0, event.version),\n")


def edit(path, before, after):
    text = path.read_text()
    expect(f"{path.name} has the text to edit", before in text, text)
    path.write_text(text.replace(before, after, 1))


if __name__ == "__main__":
    contracts() if sys.argv[1:] == ["contracts"] else main()
