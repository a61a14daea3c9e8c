// Validates AsyncAPI documents with AsyncAPI's own parser: node tests/asyncapi.cjs <folder with node_modules> <files>
const fs = require("fs");
const { Parser } = require(`${process.argv[2]}/node_modules/@asyncapi/parser`);

(async () => {
  let faults = 0;
  for (const file of process.argv.slice(3)) {
    const { diagnostics } = await new Parser().parse(fs.readFileSync(file, "utf8"));
    // Severity 0 is an error, 1 a warning. Hints and information are ignored.
    for (const { severity, code, message, range } of diagnostics.filter(({ severity }) => severity < 2)) {
      console.log(`${file}:${range.start.line + 1}: ${severity ? "warning" : "error"} ${code}: ${message}`);
      faults += 1;
    }
  }
  process.exit(faults ? 1 : 0);
})();
