"""./mart up: the commands beside it, Ctrl-C at any moment, a second clone, a part that does not start."""

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

import stand
from stand import Mart, expect, processes, run


def ports(folder):
    return json.loads((folder / ".mart" / "ports.json").read_text()).values()


def nothing_runs(folder):
    expect("no process is left", not processes(folder), str(processes(folder)))
    expect("no port is left open", not taken(folder), str(taken(folder)))


def taken(folder):
    found = []
    for port in ports(folder):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def commands(folder):
    kite = '{"slug":"kite","name":"Kite","prices":[{"amount":"900.00","currencyCode":"PKR"}]}'
    told = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "admin")
    expect("call shows the answer, the event and the curl line", all(part in told for part in
           ["201 Created", "ProductCreated", "location:", "curl -i -X POST"]), told)
    trace = re.search(r"trace ([0-9a-f]{32})", told)[1]
    told = run(folder, "./mart", "call", "POST", "/v1/products", kite, "--as", "customer", good=False)
    expect("call as a customer is refused", "403 Forbidden" in told, told)
    told = run(folder, "./mart", "call", "GET", "/v1/products?query=mug")
    expect("the seeds are there", "Red mug" in told and "Blue mug" in told, told)
    expect("status says ready", "product      ok" in run(folder, "./mart", "status"))
    (folder / "devstack/tests/tidy.rs").touch()
    expect("a source that changes no program changes nothing", "product      ok" in run(folder, "./mart", "status"))
    told = run(folder, "./mart", "events", "--from-beginning", "--quiet", "2")
    expect("events shows the seeds decoded", told.count("ProductCreated") == 39, told[-2000:])
    expect("money, stock and orders agree", "all invariants hold" in run(folder, "./mart", "invariants"))
    told = run(folder, "./mart", "timeline", trace)
    expect("a timeline goes from the request to those who hear of it", all(part in told for part in
           ["answers POST /v1/products with 201", "commits ProductCreated", "inventory.product-created has applied"]), told)
    told = run(folder, "./mart", "demo")
    expect("a customer shops from the registration to the door", all(part in told for part in
           ["registers as demo-", "mail: Confirm your mail address", "UserRegistered of", "logs in", "browses", "orders it", "OrderAwaitingPayment of", "presses Pay",
            "PaymentCaptured of", "OrderConfirmed of", "OrderShipped of", "OrderDelivered of", "mail: We have your order",
            "mail: Your order is paid", "mail: Your order is on its way", "mail: Your order has arrived", "s from the registration"]), told)
    expect("they agree after it", "all invariants hold" in run(folder, "./mart", "invariants"))
    expect("nothing is dead", "0 dead letters" in run(folder, "./mart", "dlq", "list"))
    expect("logs shows lines for people", "INFO  serving" in run(folder, "./mart", "logs", "product"))
    expect("psql answers", "39" in run(folder, "./mart", "psql", "product", "-c", "select count(*) from product"))
    expect("restart builds and restarts", "was stopped and started" in run(folder, "./mart", "restart", "product"))
    told = run(folder, "./mart", "up", good=False)
    expect("a second up in the same clone says that it runs already", "running already" in told, told)
    for words in (["call", "GET", "/v1/products", "--as", "king"], ["call", "FETCH", "/x"], ["logs", "nobody"],
                  ["psql", "nobody"], ["restart", "nobody"], ["dlq", "show", "product", "1"],
                  ["timeline", "nobody"], ["publish", "payment.Nothing", "{}"], ["publish", "payment.PaymentCaptured", "{}"], ["nonsense"], ["test", "nonsense"], ["down", "--wipe"]):
        told = run(folder, "./mart", *words, good=False)
        expect(f"./mart {' '.join(words)} is refused in words", told.strip() and "panicked" not in told, told)


def rotation(folder):
    """A customer who goes on while the keys are rotated, with old tokens and new ones, at the service that signs them and at
    another one: no request fails."""
    stand.say("keys are rotated while a customer goes on")
    gateway = f"http://127.0.0.1:{json.loads((folder / '.mart' / 'ports.json').read_text())['gateway']}"
    secrets = json.loads((folder / ".mart" / "secrets.json").read_text())

    def ask(method, path, body=None, token=None):
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(gateway + path, json.dumps(body).encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            failed.append(f"{method} {path}: {error.code} {error.read()[:200]}")
            return None

    def signed_by(token):
        head = token.split(".")[0]
        return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]

    failed, done, kids = [], threading.Event(), []
    who = {"email": "customer@mart.example", "password": secrets["password of the customer"]}
    tokens = ask("POST", "/v1/sessions/log-in", who)["tokens"]
    first = tokens["accessToken"]

    def go_on(tokens):
        while not failed:
            tokens = (ask("POST", "/v1/sessions/refresh", {"refreshToken": tokens["refreshToken"]}) or {}).get("tokens")
            if not tokens:
                return
            kids.append(signed_by(tokens["accessToken"]))
            for token in (first, tokens["accessToken"]):
                ask("GET", "/v1/me", token=token)
                ask("GET", "/v1/orders", token=token)
            if done.is_set() and kids[-1] != kids[0]:
                return
            time.sleep(0.6)

    customer = threading.Thread(target=go_on, args=(tokens,))
    customer.start()
    run(folder, "./mart", "keys", "rotate")
    done.set()
    customer.join(180)
    expect("no request fails", not failed, "\n".join(failed))
    expect(f"from {kids[0]} to {kids[-1]}, with {len(kids)} refreshed sessions", not customer.is_alive() and len(set(kids)) == 2, str(kids))


def watched(folder, mart):
    """A saved core is served again; while it does not compile the build before serves on."""
    stand.say("a core is edited under --watch")

    def told(text, times=1):
        deadline = time.monotonic() + 600
        while mart.output().count(text) < times:
            if mart.process.poll() is not None or time.monotonic() > deadline:
                stand.fail(f"{text!r} was not told {times} times:\n{mart.output()[-4000:]}")
            time.sleep(0.1)

    core = folder / "services/product/core/src/application/mod.rs"
    before = core.read_text()
    core.write_text(f"{before}\nfn broken( {{\n")
    told("the build before serves on")
    expect("a build error is shown", "error: " in mart.output() and "product/core/src/application/mod.rs" in mart.output())
    expect("the build before serves on", "200 OK" in run(folder, "./mart", "call", "GET", "/v1/products?query=mug"))
    core.write_text(f"{before}\n/// An edit.\npub fn edited() {{}}\n")
    told("product served again")
    expect("the edited one answers", "200 OK" in run(folder, "./mart", "call", "GET", "/v1/products?query=mug"))
    core.write_text(before)
    told("product served again", 2)


def main():
    random.seed()
    seed = random.randrange(1_000_000)
    random.seed(seed)
    stand.say(f"the moments of this run come from seed {seed}")
    folder = stand.make("clone")
    mart = Mart(folder, "--watch").ready()
    commands(folder)
    rotation(folder)
    watched(folder, mart)

    stand.say("a service that falls is started again")
    before = set(processes(folder))
    service = [pid for pid in before if b"product-service\0serve" in open(f"/proc/{pid}/cmdline", "rb").read()]
    for pid in service:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 180
    while "is started again" not in mart.output() or "product      ok" not in run_status(folder):
        if time.monotonic() > deadline:
            stand.fail(f"it was not started again:\n{mart.output()}")
        time.sleep(0.3)
    expect("it is ready again", True)

    stand.say("a second clone beside the first")
    other = stand.second(folder, "second")
    second = Mart(other).ready()
    expect("their ports differ", not set(ports(folder)) & set(ports(other)))
    expect("the second has data of its own", "38" in run(other, "./mart", "psql", "product", "-c", "select count(*) from product"))
    run(other, "./mart", "down")
    second.ended()
    nothing_runs(other)
    shutil.rmtree(other)
    expect("the first still runs", "product      ok" in run(folder, "./mart", "status"))

    stand.say("Ctrl-C")
    mart.stop()
    nothing_runs(folder)
    for n in range(10):
        mart = Mart(folder)
        moment = random.uniform(0, 8)
        time.sleep(moment)
        mart.interrupt()
        if n % 2:
            time.sleep(random.uniform(0, 1))
            mart.interrupt()
        mart.ended()
        stand.say(f" after {moment:.1f} s{', twice' if n % 2 else ''}")
        nothing_runs(folder)

    stand.say("killed outright")
    mart = Mart(folder).ready()
    mart.process.kill()
    mart.ended()
    deadline = time.monotonic() + 180
    while (processes(folder) or taken(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    nothing_runs(folder)

    stand.say("a port that somebody has")
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = json.loads((folder / ".mart" / "ports.json").read_text())["product"]
        thief.bind(("127.0.0.1", port))
        thief.listen()
        mart = Mart(folder).ready()
        expect("it moves and says so", f"port {port} is taken" in mart.output(), mart.output())
    told = run(folder, "./mart", "call", "GET", "/v1/admin/products?query=kite", "--as", "admin")
    expect("the data was kept through all of it", '"Kite"' in told, told)
    mart.stop()
    nothing_runs(folder)

    stand.say("a part that does not start")
    data = folder / ".mart" / "postgres" / "data" / "global" / "pg_control"
    data.write_bytes(b"damaged")
    mart = Mart(folder)
    mart.ended()
    told = mart.output()
    expect("its last lines, the cause and the mend are shown", mart.process.returncode != 0 and "pg_control" in told
           and "down --wipe" in told, told)
    nothing_runs(folder)
    expect("down --wipe --yes makes it new", "the data is gone" in run(folder, "./mart", "down", "--wipe", "--yes"))
    Mart(folder).ready().stop()
    nothing_runs(folder)
    interrupted_test()


def interrupted_test():
    """A run of tests that is interrupted while its servers and services are up leaves no process."""
    stand.say("an interrupted ./mart test")
    log = stand.CLONES / "test.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", "./mart", "test", "product"], cwd=stand.ROOT, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, env=stand.environment(stand.ROOT), start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    scratch = stand.ROOT / ".mart" / "test" / str(process.pid)
    deadline = time.monotonic() + 1200
    while len(of_run(scratch)) <= 3:
        if process.poll() is not None or time.monotonic() > deadline:
            stand.fail(f"its tests did not begin:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)
    expect("its servers and services are up", True)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(240)
    deadline = time.monotonic() + 180
    while of_run(scratch) and time.monotonic() < deadline:
        time.sleep(0.2)
    expect("no process of it is left", not of_run(scratch), str(of_run(scratch)))
    expect("its folder is gone", not scratch.exists())


def of_run(scratch):
    """Processes that know the folder of a run, by their command line or their environment."""
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
    done = subprocess.run(["./mart", "status"], cwd=folder, env=stand.environment(folder), capture_output=True, text=True)
    return done.stdout


main()
