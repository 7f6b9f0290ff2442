// What matrix-js-sdk 43 takes for granted (Node.js 22) and Debian's Node.js 20 lacks. Import it before the SDK.

Promise.withResolvers ??= function withResolvers() {
    const made = {};
    made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
};
