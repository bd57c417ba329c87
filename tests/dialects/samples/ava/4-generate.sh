curl -X POST https://chat.buzzedtech.com/api/generate \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "phone": "+1234567890",
    "context": [
      {
        "role": "user",
        "content": "What are your business hours?"
      }
    ],
    "instructions": "Respond professionally and mention we are open 9-5 weekdays"
  }'
