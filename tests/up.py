"""Tests ./mart up and the other commands: Ctrl-C at any time, a second clone, crashes, used ports, damaged data."""

import base64
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import harness
from harness import Mart, expect, processes, run


def ports(folder):
    return json.loads((folder / ".mart" / "ports.json").read_text()).values()


def expect_stopped(folder):
    expect("no process is left", not processes(folder), str(processes(folder)))
    expect("no port is left open", not open_ports(folder), str(open_ports(folder)))


def open_ports(folder):
    found = []
    for port in ports(folder):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def commands(folder):
    kite = '{"slug":"kite","name":"Kite","prices":[{"amount":"900.00","currencyCode":"PKR"}]}'
    output = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "admin")
    expect("call prints the response, the event and the curl command", all(part in output for part in
           ["201 Created", "ProductCreated", "location:", "curl -i -X POST"]), output)
    trace = re.search(r"trace ([0-9a-f]{32})", output)[1]
    output = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "customer", success=False)
    expect("call as a customer is forbidden", "403 Forbidden" in output, output)
    output = run(folder, "./mart", "call", "GET", "/v1/products?query=mug")
    expect("the demo products exist", "Red mug" in output and "Blue mug" in output, output)
    expect("status shows that product is ready", "product      ok" in run(folder, "./mart", "status"))
    (folder / "devstack/tests/tidy.rs").touch()
    expect("status works after a source has changed", "product      ok" in run(folder, "./mart", "status"))
    output = run(folder, "./mart", "events", "--from-beginning", "--quiet", "2")
    expect("events prints the demo data, decoded", output.count("ProductCreated") == 39, output[-2000:])
    expect("all invariants hold", "all invariants hold" in run(folder, "./mart", "invariants"))
    output = run(folder, "./mart", "timeline", trace)
    expect("a timeline goes from the request to the consumers", all(part in output for part in
           ["answers POST /v1/products with 201", "commits ProductCreated", "inventory.product-created has applied"]), output)
    output = run(folder, "./mart", "demo")
    expect("demo runs a whole purchase", all(part in output for part in
           ["register as demo-", "mail: Confirm your email address", "UserRegistered on", "log in", "browse", "place order",
            "OrderAwaitingPayment on", "pay ", "PaymentCaptured on", "OrderConfirmed on", "OrderShipped on", "OrderDelivered on",
            "mail: We have received your order", "mail: We have received your payment", "mail: Your order is on its way",
            "mail: Your order has been delivered", "s from the registration"]), output)
    expect("all invariants hold after it", "all invariants hold" in run(folder, "./mart", "invariants"))
    expect("there is no dead letter", "0 dead letters" in run(folder, "./mart", "dlq", "list"))
    output = run(folder, "./mart", "logs", "product", "-n", "100000")
    expect("logs prints readable lines", "INFO  serving" in output, output[-2000:])
    expect("psql runs a query", "39" in run(folder, "./mart", "psql", "product", "-c", "select count(*) from product"))
    expect("restart rebuilds and restarts", "restarted product" in run(folder, "./mart", "restart", "product"))
    output = run(folder, "./mart", "up", success=False)
    expect("a second up in the same clone fails", "already running" in output, output)
    for words in (["call", "GET", "/v1/products", "--as", "king"], ["call", "FETCH", "/x"], ["logs", "unknown"],
                  ["psql", "unknown"], ["restart", "unknown"], ["dlq", "show", "product", "1"], ["timeline", "unknown"],
                  ["publish", "payment.Unknown", "{}"], ["publish", "payment.PaymentCaptured", "{}"], ["unknown"],
                  ["test", "unknown"], ["down", "--wipe"]):
        output = run(folder, "./mart", *words, success=False)
        expect(f"./mart {' '.join(words)} fails with a message", output.strip() and "panicked" not in output, output)


def rotation(folder):
    """Rotates the keys while a customer sends requests with old and new tokens to the service that signs them and to another one. No
    request may fail."""
    harness.log("keys are rotated while a customer sends requests")
    gateway = f"http://127.0.0.1:{json.loads((folder / '.mart' / 'ports.json').read_text())['gateway']}"
    secrets = json.loads((folder / ".mart" / "secrets.json").read_text())

    def send(method, path, body=None, token=None):
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(gateway + path, json.dumps(body).encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            failed.append(f"{method} {path}: {error.code} {error.read()[:200]}")
            return None

    def key_id(token):
        head = token.split(".")[0]
        return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]

    failed, done, kids = [], threading.Event(), []
    credentials = {"email": "customer@mart.example", "password": secrets["password of the customer"]}
    tokens = send("POST", "/v1/sessions/log-in", credentials)["tokens"]
    first = tokens["accessToken"]

    def send_requests(tokens):
        while not failed:
            tokens = (send("POST", "/v1/sessions/refresh", {"refreshToken": tokens["refreshToken"]}) or {}).get("tokens")
            if not tokens:
                return
            kids.append(key_id(tokens["accessToken"]))
            for token in (first, tokens["accessToken"]):
                send("GET", "/v1/me", token=token)
                send("GET", "/v1/orders", token=token)
            if done.is_set() and kids[-1] != kids[0]:
                return
            time.sleep(0.6)

    customer = threading.Thread(target=send_requests, args=(tokens,))
    customer.start()
    run(folder, "./mart", "keys", "rotate")
    done.set()
    customer.join(180)
    expect("no request fails", not failed, "\n".join(failed))
    expect(f"the key changes from {kids[0]} to {kids[-1]} within {len(kids)} refreshes",
           not customer.is_alive() and len(set(kids)) == 2, str(kids))


def watched(folder, mart):
    """Edits a core. Its service is restarted with the new build; while it does not compile, the previous build keeps serving."""
    harness.log("a core is edited under --watch")

    def wait_for(text, times=1):
        deadline = time.monotonic() + 600
        while mart.output().count(text) < times:
            if mart.process.poll() is not None or time.monotonic() > deadline:
                harness.fail(f"{text!r} was not printed {times} times:\n{mart.output()[-4000:]}")
            time.sleep(0.1)

    core = folder / "services/product/core/src/application/mod.rs"
    before = core.read_text()
    core.write_text(f"{before}\nfn broken( {{\n")
    wait_for("the previous build keeps serving")
    expect("the build error is printed", "error: " in mart.output() and "product/core/src/application/mod.rs" in mart.output())
    expect("the previous build keeps serving", "200 OK" in run(folder, "./mart", "call", "GET", "/v1/products?query=mug"))
    core.write_text(f"{before}\n/// An edit.\npub fn edited() {{}}\n")
    wait_for("product restarted with the new build")
    expect("the new build serves", "200 OK" in run(folder, "./mart", "call", "GET", "/v1/products?query=mug"))
    core.write_text(before)
    wait_for("product restarted with the new build", 2)


def main():
    random.seed()
    seed = random.randrange(1_000_000)
    random.seed(seed)
    harness.log(f"the random seed of this run is {seed}")
    folder = harness.make("clone")
    mart = Mart(folder, "--watch").ready()
    commands(folder)
    rotation(folder)
    watched(folder, mart)

    harness.log("a killed service is started again")
    before = set(processes(folder))
    service = [pid for pid in before if b"product-service\0serve" in open(f"/proc/{pid}/cmdline", "rb").read()]
    for pid in service:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 180
    while "starting it again" not in mart.output() or "product      ok" not in run_status(folder):
        if time.monotonic() > deadline:
            harness.fail(f"it was not started again:\n{mart.output()}")
        time.sleep(0.3)
    expect("it becomes ready again", True)

    harness.log("a second clone beside the first")
    other = harness.second(folder, "second")
    second = Mart(other).ready()
    expect("their ports differ", not set(ports(folder)) & set(ports(other)))
    expect("the second has its own data", "38" in run(other, "./mart", "psql", "product", "-c", "select count(*) from product"))
    run(other, "./mart", "down")
    second.ended()
    expect_stopped(other)
    shutil.rmtree(other)
    expect("the first is still running", "product      ok" in run(folder, "./mart", "status"))

    harness.log("Ctrl-C")
    mart.stop()
    expect_stopped(folder)
    for n in range(10):
        mart = Mart(folder)
        delay = random.uniform(0, 8)
        time.sleep(delay)
        mart.interrupt()
        if n % 2:
            time.sleep(random.uniform(0, 1))
            mart.interrupt()
        mart.ended()
        harness.log(f" after {delay:.1f} s{', twice' if n % 2 else ''}")
        expect_stopped(folder)

    harness.log("SIGKILL")
    mart = Mart(folder).ready()
    mart.process.kill()
    mart.ended()
    deadline = time.monotonic() + 180
    while (processes(folder) or open_ports(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    expect_stopped(folder)

    harness.log("a port that is in use")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = json.loads((folder / ".mart" / "ports.json").read_text())["product"]
        other.bind(("127.0.0.1", port))
        other.listen()
        mart = Mart(folder).ready()
        expect("the service gets another port", f"port {port} is in use" in mart.output(), mart.output())
    output = run(folder, "./mart", "call", "GET", "/v1/admin/products?query=kite", "--as", "admin")
    expect("the data has survived all of it", '"Kite"' in output, output)
    mart.stop()
    expect_stopped(folder)

    harness.log("a server that does not start")
    data = folder / ".mart" / "postgres" / "data" / "global" / "pg_control"
    data.write_bytes(b"damaged")
    mart = Mart(folder)
    mart.ended()
    output = mart.output()
    expect("the cause and the remedy are printed", mart.process.returncode != 0 and "pg_control" in output
           and "down --wipe" in output, output)
    expect_stopped(folder)
    expect("down --wipe --yes deletes the data", "all data is deleted" in run(folder, "./mart", "down", "--wipe", "--yes"))
    Mart(folder).ready().stop()
    expect_stopped(folder)
    interrupted_test()


def interrupted_test():
    """Interrupts ./mart test while its servers and services are running. No process may be left."""
    harness.log("an interrupted ./mart test")
    log = harness.CLONES / "test.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", "./mart", "test", "product"], cwd=harness.ROOT, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, env=harness.environment(harness.ROOT), start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    scratch = harness.ROOT / ".mart" / "test" / str(process.pid)
    deadline = time.monotonic() + 1200
    while len(run_processes(scratch)) <= 3:
        if process.poll() is not None or time.monotonic() > deadline:
            harness.fail(f"its tests did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)
    expect("its servers and services are running", True)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(240)
    deadline = time.monotonic() + 180
    while run_processes(scratch) and time.monotonic() < deadline:
        time.sleep(0.2)
    expect("no process is left", not run_processes(scratch), str(run_processes(scratch)))
    expect("its folder is deleted", not scratch.exists())


def run_processes(scratch):
    """Returns the processes of a test run: its folder is in their command line or their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if f"{scratch}".encode() in words:
            found.append(entry.name)
    return found


def run_status(folder):
    done = subprocess.run(["./mart", "status"], cwd=folder, env=harness.environment(folder), capture_output=True, text=True)
    return done.stdout


main()
