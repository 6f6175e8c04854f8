export const handler = () => {
