// What an application does with the Node driver, against the server at argv[2]; prints what it saw as one line of JSON.
import { createRequire } from "node:module";

const { MongoClient, Long, ObjectId, Timestamp } = createRequire(process.argv[3] + "/")("mongodb");
const client = await MongoClient.connect(process.argv[2]);
const db = client.db("node_driver");
await db.dropDatabase();
const seen = {};

const orders = db.collection("orders");
const inserted = await orders.insertMany([
  { _id: 1, item: "oar", qty: 2, tags: ["wood"] },
  { _id: 2, item: "rope", qty: 5, tags: [] },
  { _id: 3, item: "oar", qty: 7, total: Long.fromString("9007199254740993") },
]);
seen.inserted = inserted.insertedCount;
seen.generated = (await orders.insertOne({ item: "anchor", qty: 1 })).insertedId instanceof ObjectId;
seen.found = await orders.find({ qty: { $gt: 1 } }, { projection: { _id: 0, item: 1 } }).sort({ qty: -1 }).toArray();
seen.long = (await orders.findOne({ _id: 3 }, { promoteLongs: false })).total.toString();
seen.updated = (await orders.updateMany({ item: "oar" }, { $inc: { qty: 1 } })).modifiedCount;
seen.upserted = (await orders.updateOne({ _id: 9 }, { $set: { qty: 0 } }, { upsert: true })).upsertedId;
seen.after = (await orders.findOneAndUpdate({ _id: 1 }, { $push: { tags: "new" } }, { returnDocument: "after" })).tags;
seen.deleted = (await orders.deleteMany({ qty: { $lt: 2 } })).deletedCount;
seen.distinct = await orders.distinct("item");
const bulk = await orders.bulkWrite(
  [
    { insertOne: { document: { _id: 1 } } },
    { updateOne: { filter: { _id: 2 }, update: { $set: { done: true } } } },
    { deleteOne: { filter: { _id: 3 } } },
  ],
  { ordered: false },
).catch((error) => error);
seen.bulk = [bulk.code, bulk.result.modifiedCount, bulk.result.deletedCount];
const both = await client.bulkWrite([
  { namespace: "node_driver.a", name: "insertOne", document: { _id: 1 } },
  { namespace: "node_driver.b", name: "insertOne", document: { _id: 1 } },
]);
seen.clientBulk = both.insertedCount;

seen.index = await orders.createIndex({ item: 1 }, { unique: true, sparse: true });
seen.duplicate = await orders.insertOne({ item: "oar" }).catch((error) => [error.code, error.keyValue]);
seen.indexes = (await orders.indexes()).map((index) => index.name);

const numbers = db.collection("numbers");
await numbers.insertMany(Array.from({ length: 1000 }, (_, number) => ({ _id: number, third: number % 3 })));
seen.batches = (await numbers.find({}, { batchSize: 100 }).toArray()).length;
seen.groups = await numbers
  .aggregate([{ $group: { _id: "$third", n: { $sum: 1 } } }, { $sort: { _id: 1 } }])
  .toArray();

const stream = orders.watch([], { fullDocument: "updateLookup", maxAwaitTimeMS: 100 });
await stream.tryNext();
await orders.updateOne({ _id: 2 }, { $set: { qty: 50 } });
const event = await stream.next();
seen.event = [event.operationType, event.documentKey._id, event.fullDocument.qty];
await orders.insertOne({ _id: 77 });
await stream.close();
const resumed = orders.watch([], { resumeAfter: event._id, maxAwaitTimeMS: 100 });
seen.resumed = (await resumed.next()).documentKey._id;
await resumed.close();

await client.withSession(async (session) => {
  await session.withTransaction(async () => {
    await orders.insertOne({ _id: 100 }, { session });
    await numbers.deleteMany({ third: 0 }, { session });
  });
  seen.committed = [await orders.countDocuments({ _id: 100 }), await numbers.countDocuments()];
  session.startTransaction();
  await orders.insertOne({ _id: 101 }, { session });
  await session.abortTransaction();
  seen.aborted = await orders.countDocuments({ _id: 101 });
});
seen.unknownCommand = await db.command({ nonsense: 1 }).catch((error) => error.codeName);
seen.hello = (await db.command({ hello: 1 })).operationTime instanceof Timestamp;
console.log(JSON.stringify(seen));
await client.close();
