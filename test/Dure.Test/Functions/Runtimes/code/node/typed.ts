export const handler = (event: { value: string }): string => event.value;
