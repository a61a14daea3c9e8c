"""Checks the configuration of compose/ and .devcontainer/: python3 tests/compose.py <docker-compose> <devcontainer's CLI…>"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
STACK = ["compose/compose.yml", "compose/compose.override.yml"]
failures = 0


def expect(what, condition, details=""):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {what} {details}")


def run(*words):
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
    return done.stdout


def config(compose, *files):
    return json.loads(run(compose, *[word for file in files for word in ("-f", file)], "config", "--format=json"))


def check_lost_secrets():
    """Without .env, secrets.sh creates no new secrets for databases that an earlier stack has left."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "compose"
        shutil.copytree(ROOT / "compose", copy, ignore=shutil.ignore_patterns(".env"))
        docker = pathlib.Path(folder) / "docker"
        docker.write_text("#!/bin/sh\necho mart_kafka-data\necho mart_order-data\n")
        docker.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        lost = subprocess.run([copy / "secrets.sh"], env=environment, capture_output=True, text=True)
        expect("a lost .env beside kept volumes is an error", lost.returncode == 1 and "restore compose/.env" in lost.stderr, lost.stderr)
        expect("nothing is written then", not (copy / ".env").exists())
        docker.write_text("#!/bin/sh\necho mart_kafka-data\n")
        first = subprocess.run([copy / "secrets.sh"], env=environment, capture_output=True, text=True)
        expect("without volumes of databases the secrets are created", first.returncode == 0 and (copy / ".env").exists(), first.stderr)


def check_dependencies(ours, services):
    """Health checks, and who starts after whom."""
    for name in ours:
        test = services[name].get("healthcheck", {}).get("test")
        expect(f"{name} reports by its own program whether it is ready", test == ["CMD", "/usr/local/bin/service", "healthcheck"], str(test))
        condition = services["kong"]["depends_on"].get(name, {}).get("condition")
        expect(f"Kong starts when {name} is ready (compose/compose.override.yml)", condition == "service_healthy", str(condition))
        passwords = {part: services[f"{name}-postgres"]["environment"].get(part) for part in ["POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"]}
        expect(f"the superuser, the owner and the app role of {name} have passwords of their own", len(set(passwords.values())) == 3)
        for container in (name, f"{name}-migrate"):
            known = [part for part in ("POSTGRES_PASSWORD",) if passwords[part] in json.dumps(services[container])]
            expect(f"{container} does not know the superuser's password", not known)
    # Otherwise `up --wait` fails when such a container has ended.
    awaited = {dependency for service in services.values() for dependency, how in service.get("depends_on", {}).items()
               if how["condition"] == "service_completed_successfully"}
    for name, service in services.items():
        expect(f"{name} keeps running, or another container waits for its end", service.get("restart") == "unless-stopped" or name in awaited)
    test = services["kafka"]["healthcheck"]["test"]
    expect("Kafka's health check starts no JVM", not any("kafka-" in word for word in test), str(test))
    environment = services["kong"]["environment"]
    for name, value in {"KONG_DNS_VALID_TTL": "1", "KONG_DNS_STALE_TTL": "0", "KONG_DNS_NOT_FOUND_TTL": "1"}.items():
        expect("Kong does not keep the address of a restarted container", str(environment.get(name)) == value, name)
    expect("Kong's own errors are JSON", environment.get("KONG_ERROR_DEFAULT_TYPE") == "application/json")
    expect("Kong restarts with new keys", services["kong"]["depends_on"]["keys"].get("restart") is True)


def main():
    compose, *devcontainer = sys.argv[1:]
    run("compose/secrets.sh")
    stack = config(compose, *STACK)
    services = stack["services"]
    ours = sorted(folder.name for folder in (ROOT / "services").iterdir() if (folder / "Dockerfile").exists())
    for name in ours:
        parts = [name, f"{name}-migrate", f"{name}-postgres"]
        expect(f"{name} has its containers", all(part in services for part in parts), str(sorted(services)))
        keys = services[name].get("depends_on", {}).get("keys", {})
        expect(f"{name} starts after the keys were created", keys.get("condition") == "service_completed_successfully", str(keys))
        docker = (ROOT / "services" / name / "Dockerfile").read_text()
        expect(f"{name} has root certificates", "ca-certificates.crt" in docker)
    for name in ["kafka", "kong", "mail", "keys", "sandbox"]:
        expect(f"{name} is a service", name in services)
    limit = services["kong"]["environment"].get("KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE")
    expect("Kong has the services' body limit, so that it buffers no larger body on disk", limit == "1m", str(limit))
    for name, service in services.items():
        for port in service.get("ports", []):
            expect(f"{name} is reachable from this machine only", port.get("host_ip") == "127.0.0.1", str(port))
        mounted = [volume["source"] for volume in service.get("volumes", [])]
        expect(f"{name} has no private keys", "signing" not in mounted or name in ("keys", "user"), str(mounted))
        image = service.get("image", "")
        expect(f"{name} has a pinned image", "build" in service or ":" in image and not image.endswith(":latest"), image)
        expect(f"the log of {name} is limited", service.get("logging", {}).get("options", {}).get("max-size") == "10m", str(service.get("logging")))
        expect(f"the memory of {name} is limited", int(service.get("mem_limit", 0)) > 0)
        if "build" in service:
            expect(f"{name} is never pulled", image.startswith("localhost/mart/") and service.get("pull_policy") == "build", image)
            hardened = (service.get("read_only"), service.get("cap_drop"), service.get("security_opt"), service.get("init"))
            expect(f"{name} has no privileges", hardened == (True, ["ALL"], ["no-new-privileges:true"], True), str(hardened))
    check_dependencies(ours, services)
    check_lost_secrets()
    env = (ROOT / "compose/.env").read_text()
    secrets = [line.split("=", 1)[1] for line in env.splitlines() if line.split("=")[0].endswith(("_PASSWORD", "_SECRET", "SANDBOX_KEY"))]
    expect("secrets are long and unique", len(secrets) >= 21 and len({value for value in secrets if len(value) >= 32}) == len(secrets))
    run("compose/secrets.sh")
    expect("a second run of secrets.sh changes nothing", (ROOT / "compose/.env").read_text() == env)

    # The CLI asks Docker for running containers; /bin/true reports none.
    read = json.loads(run(*devcontainer, "read-configuration", "--workspace-folder", str(ROOT), "--docker-path", "/bin/true",
                          "--docker-compose-path", compose))["configuration"]
    files = [str((ROOT / ".devcontainer" / file).resolve().relative_to(ROOT)) for file in read["dockerComposeFile"]]
    expect("the dev container opens the stack", files[:2] == STACK, str(files))
    opened = config(compose, *files)["services"]
    workspace = opened.get(read["service"], {})
    expect("its workspace folder is mounted", any(volume["target"] == read["workspaceFolder"] for volume in workspace.get("volumes", [])))
    for port in read["forwardPorts"]:
        expect(f"the forwarded port {port} belongs to a service", port.split(":")[0] in opened)
    sys.exit(1 if failures else 0)


main()
