// becomes %2B15551234567
const chatId = encodeURIComponent('+15551234567')
