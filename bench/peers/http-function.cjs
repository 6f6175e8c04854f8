// The no-op for @google-cloud/functions-framework: a JSON event in, the same event out.
const functions = require('@google-cloud/functions-framework')

functions.http('noop', (request, response) => response.json(request.body))
