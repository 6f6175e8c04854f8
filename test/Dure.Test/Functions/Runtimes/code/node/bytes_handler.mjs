export const raw = true;
export const handler = (event) => event.reverse();
