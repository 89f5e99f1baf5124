// `npm run deploy` refuses until sign-in exists: a deployed library without it would be anybody's (promise 10).
console.error(`Deploying is not possible yet: Jharokha has no sign-in, and a library on the internet without one would be open to anybody.
Nothing was uploaded. Run it on this computer with: npm start -- ~/Pictures`);
process.exit(1);
