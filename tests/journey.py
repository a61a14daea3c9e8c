"""From a name to a running service and back, in a clone: made, tested on real servers, started, called; changed as contracts
change, with what the compiler says each time; taken away."""

import os
import re
import shutil
import subprocess
import sys
import time

import stand
from stand import Mart, expect, run

CONTRACT = "proto/mart/review/v1/review_service.proto"
RESOURCE = "proto/mart/review/v1/review.proto"
EVENTS = "proto/mart/review/v1/review_events.proto"
# How README makes a service and takes it away, line by line.
README = [
    "cargo martgen new-service review --consumes product.ProductArchived",
    "cargo martgen check",
    "./mart test review",
    "cargo martgen remove-service review",
]
# With the devstack and the runner of features its dependencies have the features that they were built with.
CLIPPY = ["cargo", "clippy", "--quiet", "--all-targets", "--all-features", "--package", "devstack", "--package", "features"]
FIXTURE = stand.ROOT / "martgen/tests/fixtures"
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
// Asks to approve a review.
message ApproveReviewRequest {
  // Its id.
  string review_id = 1 [(buf.validate.field).string.uuid = true];
}

// It is approved.
message ApproveReviewResponse {}
"""
APPROVED = """
// A review was approved.
message ReviewApproved {
  option (mart.options.v1.event) = {
    topic: "mart.review.v1"
    key: "review.review_id"
  };
  // The review after it.
  Review review = 1;
}
"""


def martgen(folder, *words, good=True):
    return run(folder, "cargo", "martgen", *words, good=good)


def compiled(folder, package="review-service"):
    """What the compiler says of the new service."""
    # By clippy, as what it takes no part in was checked by it already.
    words = ["cargo", "clippy", "--quiet", "--workspace", "--bin", package]
    done = subprocess.run(words, cwd=folder, env=stand.environment(folder), capture_output=True, text=True)
    return done.returncode, done.stderr


def changed(folder, what, edits, code, place):
    """A change of the contract: the command is named before `generate`, the place that has to answer after it; and nothing is
    left when it is taken away again."""
    before = {path: (folder / path).read_text() for path, _ in edits}
    for path, edit in edits:
        text = edit((folder / path).read_text())
        expect(f"{what}: the contract changes", text != before[path])
        (folder / path).write_text(text)
    status, told = compiled(folder)
    expect(f"{what}: the compiler names the command", status != 0 and "cargo martgen generate" in told, told)
    martgen(folder, "generate")
    status, told = compiled(folder)
    expect(f"{what}: the compiler names what has to answer", status != 0 and code in told and place in told, told)
    for path, text in before.items():
        (folder / path).write_text(text)
    martgen(folder, "generate")
    left = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True).stdout
    expect(f"{what}: nothing is left when it is gone", left.strip() == "", left)


def main():
    folder = stand.make("clone")
    made, checked, tested, removed = README
    expect("README makes a service so", "\n".join(["```sh", *README, "```"]) in (folder / "README.md").read_text())
    identity = ["-c", "user.name=mart", "-c", "user.email=mart@mart.example"]

    stand.say("a service from a sample")
    told = run(folder, "bash", "-c", made)
    call = re.search(r"\./mart call POST /v1/reviews .*", told).group(0)
    expect("it says how to undo it", removed in told, told)
    run(folder, "bash", "-c", checked)
    run(folder, "cargo", "fmt", "--all", "--check")
    run(folder, *CLIPPY, "--locked", "--package", "review-core", "--package", "review-service", "--", "-D", "warnings")
    expect("it compiles without a warning", True)
    # One order of events is enough here: CI tries more of them on the same scenarios.
    told = run(folder, "env", "SEED=1", "bash", "-c", tested)
    expect("its tests pass on real servers", ", 0 failed, 0 skipped" in told and "review_is_read_back_after_update" in told, told[-2000:])

    stand.say("it runs beside the others")
    mart = Mart(folder).ready()
    told = run(folder, "bash", "-c", call)
    expect("it answers", "201 Created" in told and "ReviewCreated" in told, told)
    kite = '{"slug":"kite","name":"Kite","status":"PRODUCT_STATUS_ACTIVE","prices":[{"amount":"900.00","currencyCode":"PKR"}]}'
    told = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "admin")
    product = re.search(r'"productId": "([0-9a-f-]+)"', told).group(1)
    run(folder, "./mart", "call", "POST", f"/v1/products/{product}/archive", "--as", "admin")
    count = "select 'seen ' || count(*) from receipt where scope = 'review.product-archived'"
    deadline = time.monotonic() + 300
    while "seen 1" not in (told := run(folder, "./mart", "psql", "review", "-c", count)):
        if time.monotonic() > deadline:
            stand.fail(f"the consumed event did not arrive:\n{told}")
        time.sleep(0.2)
    expect("the consumed event arrives", True)
    mart.stop()

    stand.say("its contract changes")
    stand.git("add", "-A", cwd=folder)
    stand.git(*identity, "commit", "--quiet", "-m", "review", cwd=folder)
    delete = "  // Deletes a review for good.\n"
    changed(folder, "an operation", [(CONTRACT, lambda text: text.replace(delete, f"{APPROVE}\n{delete}") + MESSAGES)],
            "error[E0046]", "approve_review")
    changed(folder, "an event", [(EVENTS, lambda text: text + APPROVED)], "error[E0", "ReviewApproved")
    hidden = "  // It was hidden.\n  REASON_REVIEW_HIDDEN = 4 [(mart.options.v1.status) = 409];\n"
    page = "  // The page token is not of this list.\n"
    reason = [(CONTRACT, lambda text: text.replace('["REVIEW_DELETED"]', '["REVIEW_DELETED", "REVIEW_HIDDEN"]').replace(page, hidden + page))]
    changed(folder, "an error reason", reason, "`ReviewHidden` is never constructed", "src/adapters/http.rs has to give")
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

    stand.say("an operation is taken away")
    text = (folder / CONTRACT).read_text()
    start = text.index(delete)
    (folder / CONTRACT).write_text(text[:start] + text[text.index("\n  }\n", start) + 5:])
    martgen(folder, "generate")
    status, told = compiled(folder)
    expect("the compiler names the method that answers nothing any more", "error[E0407]" in told and HTTP in told, told)
    told = martgen(folder, "check")
    expect("check notes the seed of it", "delete_review.rs was made for delete_review" in told, told)
    stand.git("checkout", "--quiet", ".", cwd=folder)

    stand.say("it goes")
    run(folder, "bash", "-c", removed)
    left = stand.git("diff", "--stat", "HEAD~1", cwd=folder)
    expect("the tree is as before", left == "", left)
    run(folder, "cargo", "metadata", "--locked", "--format-version", "1", "--no-deps")
    stand.git("reset", "--quiet", "--hard", "HEAD~1", cwd=folder)


def contracts():
    """Services from contracts of every kind, all at once: a resource with every kind of field that comes whole, next to none, a
    name of two words, and a contract with everything that contracts may have."""
    folder = stand.make("clone")
    stand.say("services from their contracts, with Debian's protoc on the PATH")
    old = folder / "target" / "old"
    old.mkdir(exist_ok=True)
    (old / "protoc").write_text('#!/bin/sh\n[ "$1" = --version ] && echo libprotoc 3.21.12\n')
    (old / "protoc").chmod(0o755)
    os.environ["PATH"] = f"{old}:{os.environ['PATH']}"
    # What runs protoc is built again.
    run(folder, "cargo", "clean", "--quiet", "--package", "prost-protovalidate-types")
    from_contracts = ["voucher", "quiet", "idle"]
    kept = [folder / f"proto/mart/{name}/v1/{name}.proto" for name in from_contracts]
    for contract in kept:
        contract.parent.mkdir(parents=True)
        shutil.copy(FIXTURE / contract.name, contract)
        if contract.stem == "idle":
            many = (f"\n// Message {nth}.\nmessage Message{nth} {{\n  // A field.\n  string field = 1;\n}}\n" for nth in range(200))
            contract.write_text(contract.read_text() + "".join(many))
        told = martgen(folder, "new-service", contract.stem)
        expect(f"{contract.stem}: nothing is left to people", "from its contract" in told and "not written" not in told, told)
    # A name of two words is spelled in every way there is.
    martgen(folder, "new-service", "gift_card", "--consumes", "product.ProductArchived", "--consumes", "product.ProductActivated")
    run(folder, "cargo", "fmt", "--all", "--check")
    odd(folder)

    names = [*from_contracts, "gift_card", "odd"]
    packages = [word for name in names for part in ("core", "service") for word in ("--package", f"{name}-{part}")]
    run(folder, *CLIPPY, "--locked", *packages, "--", "-D", "warnings")
    documented = [word for word in CLIPPY if word not in ("clippy", "--all-targets")]
    run(folder, "env", "RUSTDOCFLAGS=-D warnings", documented[0], "doc", "--no-deps", *documented[1:], "--package", "odd-service")
    expect("they compile without a warning, their documentation too", True)
    told = run(folder, "env", "SEED=1", "./mart", "test", *names)
    wanted = ("voucher_is_read_back_after_update", "every_kind_of_field_comes_back_as_it_was_sent", "what_a_query_says_comes_back")
    expect("their tests pass on real servers", ", 0 failed, 0 skipped" in told and all(f"{name} ... ok" in told for name in wanted), told[-3000:])
    martgen(folder, "check")
    told = run(folder, "./mart", "test", "lint", good=None)
    expect("their documents are read", "Your API descriptions are valid" in told and "asyncapi.cjs" not in told, told[-3000:])
    martgen(folder, "remove-service", "odd", "--force")
    for name in names[:-1]:
        martgen(folder, "remove-service", name)
    expect("their contracts stay", all(contract.is_file() for contract in kept))
    run(folder, "bash", "-c", "git checkout --quiet . && git clean -fdq proto services features")


def odd(folder):
    """A contract with everything that contracts may have, as an editor of another system saves it."""
    stand.say("an odd contract")
    martgen(folder, "new-service", "odd")
    # Its reasons stand with those of the sample.
    service = folder / "proto/mart/odd/v1/odd_service.proto"
    text = service.read_text()
    start = text.index("// Why an operation failed.")
    service.write_text(text[:start] + text[text.index("\n}\n", start) + 4:])
    strange = (FIXTURE / "strange.proto").read_text().replace("\n", "\r\n")
    (folder / "proto/mart/odd/v1/strange.proto").write_bytes(b"\xef\xbb\xbf" + strange.encode())
    martgen(folder, "generate")
    status, told = compiled(folder, "odd-service")
    expect("the compiler names what is left to people", status != 0 and "StrangeService" in told and "missing: `impl`" in told, told)
    adapters = folder / "services/odd/service/src/adapters"
    shutil.copy(FIXTURE / "strange.rs", adapters / "strange.rs")
    edit(adapters / "mod.rs", "pub mod postgres;", "pub mod postgres;\nmod strange;")
    edit(adapters / "events.rs", "impl Messages for OddMessages {", """impl Messages for OddMessages {
    fn r#impl(fact: &fact::Impl) -> v1::Impl {
        v1::Impl { r#type: fact.id.0.to_string() }
    }
""")
    facts = folder / "services/odd/core/src/domain/events.rs"
    edit(facts, "pub enum Fact {", "pub enum Fact {\n    /// Something odd.\n    Impl(Impl),")
    edit(facts, "impl Fact {", """/// Something odd happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impl {
    /// To which one.
    pub id: super::OddId,
    /// Its version after it.
    pub version: Version,
}

impl Fact {""")
    begin = "    fn aggregate(&self) -> (Uuid, Version) {\n        match self {\n"
    edit(facts, begin, f"{begin}            Self::Impl(fact) => (fact.id.0, fact.version),\n")


def edit(path, before, after):
    text = path.read_text()
    expect(f"{path.name} has its place", before in text, text)
    path.write_text(text.replace(before, after, 1))


if __name__ == "__main__":
    contracts() if sys.argv[1:] == ["contracts"] else main()
