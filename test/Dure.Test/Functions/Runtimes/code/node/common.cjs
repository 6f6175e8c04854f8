exports.handler = (event) => ({ common: event.value });
