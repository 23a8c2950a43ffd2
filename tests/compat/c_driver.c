/* What an application does with the C driver, against the server at argv[1]; prints what it saw, a line each. */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>

static bson_error_t error;

static void must(bool worked, const char *what)
{
    if (!worked) {
        fprintf(stderr, "%s: %s\n", what, error.message);
        exit(1);
    }
}

static void print_all(mongoc_cursor_t *cursor)
{
    const bson_t *document;
    while (mongoc_cursor_next(cursor, &document)) {
        char *text = bson_as_relaxed_extended_json(document, NULL);
        puts(text);
        bson_free(text);
    }
    must(!mongoc_cursor_error(cursor, &error), "cursor");
    mongoc_cursor_destroy(cursor);
}

static void in_a_transaction(mongoc_client_t *client, mongoc_collection_t *things)
{
    mongoc_client_session_t *session = mongoc_client_start_session(client, NULL, &error);
    must(session != NULL, "session");
    bson_t options = BSON_INITIALIZER;
    must(mongoc_client_session_append(session, &options, &error), "append");
    must(mongoc_client_session_start_transaction(session, NULL, &error), "start");
    bson_t *all = bson_new();
    must(mongoc_collection_delete_many(things, all, &options, NULL, &error), "delete");
    printf("inside %d\n", (int) mongoc_collection_count_documents(things, all, &options, NULL, NULL, &error));
    printf("outside %d\n", (int) mongoc_collection_count_documents(things, all, NULL, NULL, NULL, &error));
    must(mongoc_client_session_abort_transaction(session, &error), "abort");
    printf("kept %d\n", (int) mongoc_collection_count_documents(things, all, NULL, NULL, NULL, &error));
    bson_destroy(all);
    bson_destroy(&options);
    mongoc_client_session_destroy(session);
}

static void in_a_change_stream(mongoc_collection_t *things)
{
    bson_t *pipeline = BCON_NEW("pipeline", "[", "]");
    bson_t *options = BCON_NEW("maxAwaitTimeMS", BCON_INT32(100));
    mongoc_change_stream_t *stream = mongoc_collection_watch(things, pipeline, options);
    const bson_t *event;
    mongoc_change_stream_next(stream, &event);
    bson_t *document = BCON_NEW("_id", BCON_INT32(999));
    must(mongoc_collection_insert_one(things, document, NULL, NULL, &error), "insert");
    for (int tries = 0; tries < 50; tries++) {
        if (mongoc_change_stream_next(stream, &event)) {
            bson_iter_t type;
            must(bson_iter_init_find(&type, event, "operationType"), "event");
            printf("event %s\n", bson_iter_utf8(&type, NULL));
            break;
        }
    }
    mongoc_change_stream_destroy(stream);
    bson_destroy(document);
    bson_destroy(options);
    bson_destroy(pipeline);
}

int main(int count, char **arguments)
{
    (void) count;
    mongoc_init();
    mongoc_client_t *client = mongoc_client_new(arguments[1]);
    mongoc_collection_t *things = mongoc_client_get_collection(client, "c_driver", "things");
    mongoc_collection_drop(things, NULL);

    for (int number = 0; number < 300; number++) {
        bson_t *document = BCON_NEW("_id", BCON_INT32(number), "third", BCON_INT32(number % 3));
        must(mongoc_collection_insert_one(things, document, NULL, NULL, &error), "insert");
        bson_destroy(document);
    }
    bson_t *twice = BCON_NEW("_id", BCON_INT32(1));
    bool again = mongoc_collection_insert_one(things, twice, NULL, NULL, &error);
    printf("again %d %d\n", again, (int) error.code);
    bson_t *update = BCON_NEW("$set", "{", "name", BCON_UTF8("one"), "}");
    must(mongoc_collection_update_one(things, twice, update, NULL, NULL, &error), "update");
    print_all(mongoc_collection_find_with_opts(things, twice, NULL, NULL));
    bson_t *stages = BCON_NEW("pipeline", "[", "{", "$group", "{", "_id", "$third", "n", "{", "$sum", BCON_INT32(1), "}", "}",
                              "}", "{", "$sort", "{", "_id", BCON_INT32(1), "}", "}", "]");
    print_all(mongoc_collection_aggregate(things, MONGOC_QUERY_NONE, stages, NULL, NULL));
    in_a_transaction(client, things);
    in_a_change_stream(things);

    bson_destroy(stages);
    bson_destroy(update);
    bson_destroy(twice);
    mongoc_collection_destroy(things);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return 0;
}
