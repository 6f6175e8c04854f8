type Event = { name?: string };

export const handler = async (event: Event): Promise<{ hello: string }> => ({ hello: event.name ?? "world" });
