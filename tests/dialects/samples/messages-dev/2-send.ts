import { createClient } from "@messages-dev/sdk";
const client = createClient(); // reads MESSAGES_API_KEY
await client.sendMessage({
  from: "+15551234567",
  to: "+15559876543",
  text: "Hello!",
});
