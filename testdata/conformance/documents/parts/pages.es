// Documents that are made of a piece of CCXML, for fetching: the suite's web
// server answers with what its query has. The piece stands on line 2.

var root = '<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">';

function page(text) {
  return '/web/answer?type=application%2Fccxml%2Bxml&body=' + encodeURIComponent(text);
}

// The piece stands under <ccxml>.
function inDocument(piece) {
  return page(root + '\n' + piece + '\n<eventprocessor><transition event="ccxml.loaded"/></eventprocessor></ccxml>');
}

// The piece stands under <eventprocessor>.
function inProcessor(piece) {
  return page(root + '<eventprocessor>\n' + piece + '\n</eventprocessor></ccxml>');
}

// The piece stands in a transition.
function inTransition(piece) {
  return inProcessor('<transition event="user.never">' + piece + '</transition>');
}

// The piece is all of the document.
function atLine2(piece) { return page('\n' + piece); }

// The piece, which has the eventprocessors, stands under <ccxml>.
function eitherWay(piece) { return page('\n' + root + piece + '</ccxml>'); }

// refused tells whether a document was fetched and then refused for what stands on
// its line 2.
function refused(event) {
  return event.name == 'error.fetch' && event.statuscode == 200 && / line 2\b|:2\b/.test(event.reason);
}
