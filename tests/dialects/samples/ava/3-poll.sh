curl -X GET "https://chat.buzzedtech.com/api/messages/poll?since=2026-01-25T12:00:00Z" \
  -H "Authorization: Bearer YOUR_API_KEY"
