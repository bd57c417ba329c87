const chatId = encodeURIComponent('+15551234567')
const res = await fetch(
`https://backend.blooio.com/v2/api/chats/${chatId}/messages`,
{
method: 'POST',
headers: {
'Authorization': `Bearer ${process.env.BLOOIO_API_KEY}`,
'Content-Type': 'application/json'
},
body: JSON.stringify({ text: 'Hello from the REST API' })
}
)
const { message_id } = await res.json()
