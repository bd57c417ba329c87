npm install @messages-dev/sdk
