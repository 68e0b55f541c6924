// Package operator is what operators ask of controllers, as data: the names of
// operations, what each takes, and what it gives. Controllers carry these by mail
// ([ccxmld/peer]), so that any controller can be asked about the whole site;
// [ccxmld/api] gives them to the outside. A name in JSON, once published, stays.
package operator
