# Validates JSON documents against a JSON Schema: validate.py SCHEMA DOCUMENT…
# SPDX-License-Identifier: Apache-2.0
import json
import sys

import jsonschema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    good = True
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        for error in validator.iter_errors(document):
            print(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
            good = False
    return 0 if good and len(sys.argv) > 2 else 1


sys.exit(main())
