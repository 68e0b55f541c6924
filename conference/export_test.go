package conference

// RoomStem is open to the fuzz test.
var RoomStem = roomStem
