// Reads AsyncAPI documents with the official parser and prints one JSON object: what it found, by file.
const fs = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function diagnose(file) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, "utf8"), { source: file });
  const found = diagnostics.map((one) => ({ severity: one.severity, code: one.code, at: one.path.join("/"), message: one.message }));
  return { readable: document !== undefined, version: document?.version() ?? null, operations: document?.operations().length ?? 0, found };
}

async function main() {
  const answers = {};
  for (const file of process.argv.slice(2)) answers[file] = await diagnose(file);
  console.log(JSON.stringify(answers));
}

main();
