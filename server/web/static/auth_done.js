// Tells the Matrix client that opened this page that it may go on (Matrix specification, "Fallback").
"use strict";
if (window.onAuthDone) window.onAuthDone();
else if (window.opener && window.opener.postMessage) window.opener.postMessage("authDone", "*");
