// What somebody types into the shell; prints what came back as one line of extended JSON.
const seen = {};
db.dropDatabase();
seen.inserted = db.things.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 3 }]).insertedIds;
seen.found = db.things.find({ a: { $gte: 2 } }).sort({ a: -1 }).toArray();
seen.updated = db.things.updateOne({ _id: 1 }, { $set: { b: ISODate("2024-05-06T07:08:09Z") } }).modifiedCount;
seen.replaced = db.things.findOneAndReplace({ _id: 2 }, { c: NumberDecimal("1.10") }, { returnDocument: "after" });
seen.index = db.things.createIndex({ a: 1 }, { name: "by_a", expireAfterSeconds: 3600 });
seen.indexes = db.things.getIndexes();
seen.plan = db.things.find({ a: 1 }).explain().queryPlanner.winningPlan.stage;
seen.groups = db.things.aggregate([{ $group: { _id: null, n: { $sum: "$a" } } }]).toArray();
seen.counted = [db.things.countDocuments({}), db.things.estimatedDocumentCount()];
db.createView("seen", "things", [{ $project: { a: 1 } }]);
seen.view = db.seen.find({ _id: 3 }).toArray();
seen.collections = db.getCollectionNames().sort();
seen.database = db.adminCommand({ listDatabases: 1, filter: { name: "shell" } }).databases.map((each) => each.name);

const stream = db.things.watch([{ $match: { operationType: "insert" } }]);
stream.tryNext();
db.things.insertOne({ _id: 4 });
let event = null;
while (event === null) event = stream.tryNext();
seen.event = event.documentKey;
stream.close();

const session = db.getMongo().startSession();
const things = session.getDatabase("shell").things;
session.startTransaction();
things.deleteMany({});
seen.inside = things.countDocuments({});
seen.outside = db.things.countDocuments({});
session.abortTransaction();
session.endSession();
seen.kept = db.things.countDocuments({});
try {
  db.things.insertOne({ _id: 1 });
} catch (error) {
  seen.duplicate = error.code;
}
seen.dropped = [db.things.drop(), db.getCollectionNames()];
print(EJSON.stringify(seen));
