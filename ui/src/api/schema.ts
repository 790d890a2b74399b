// Generated from the API's description by `make gen`. Changes are made in src-tauri/crates/api.

export interface paths {
    "/api/v1/dead-letters/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Failure groups, largest newest first, at most 200. */
        get: {
            parameters: {
                query?: {
                    /** @description Narrows the dead letters that are grouped. */
                    filter?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FailureGroups"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Deliveries, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description `next` of the page before. */
                    cursor?: string;
                    /** @description In the filter language; everything without it. */
                    filter?: string;
                    /** @description Rows: 1 to 500, 50 unless set. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryPage"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One delivery with its attempts, trace and revisions. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description dlv_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryDetail"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/discards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Discards what is selected and has not ended, dead letters included. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DiscardBody"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Discarded"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/discards/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a discard undone: every row becomes what it was, unless something newer of its key was delivered meanwhile. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description dsc_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Restored"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One event and where it went. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description evt_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Event"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{id}/body": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The event's bytes, as they arrived. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description evt_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every integration of the workspace, by name. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integrations"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One integration. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integration"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/destinations/{destination}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops one of its destinations; what is for it waits. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integration"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/destinations/{destination}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets what waits for the destination go on. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integration"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its own file and those that it names, as they are on the disk. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IntegrationFiles"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        /** Saves changed files after checking them; they run within about half a second, as any edit. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SaveBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IntegrationFiles"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops its deliveries from being sent; events are still accepted, and wait. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integration"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs changed files over the newest stored events, and says what would become of them. Nothing is sent or saved. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PreviewBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Preview"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets its deliveries go on. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Integration"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/integrations/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Says what would become of an event, or (`dry_run: false`) accepts it as if the source had received and verified it. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TestBody"];
                };
            };
            responses: {
                /** @description The dry run */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TestDryRun"];
                    };
                };
                /** @description In the ledger, and on its way */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TestAccepted"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One batch of news. */
        get: {
            parameters: {
                query?: {
                    /** @description Of the batch before; without it, the present state at once. */
                    cursor?: string;
                    /** @description How long to wait for news: a duration up to `25s`, which is also the default. */
                    wait?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LiveBatch"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The figures, series and integrations of the last `window`. */
        get: {
            parameters: {
                query?: {
                    /** @description `15m`, `1h` (default), `6h` or `24h`. */
                    window?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Overview"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rejected": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Refused requests, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description `next` of the page before. */
                    cursor?: string;
                    /** @description Rows: 1 to 500, 50 unless set. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RejectedPage"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Plans a replay (`dry_run`) or starts one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ReplayBody"];
                };
            };
            responses: {
                /** @description The plan of a dry run */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ReplayPlan"];
                    };
                };
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a replay is, or how it ended. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends it; what has not started stays dead. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What has become of each delivery of its set, oldest first. */
        get: {
            parameters: {
                query?: {
                    /** @description `next` of the page before. */
                    cursor?: string;
                    /** @description Rows: 1 to 500, 50 unless set. */
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ReplayItems"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts nothing more until it is resumed; what is on its way ends. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Goes on after a pause. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends it and makes what was not sent exactly what it was before; a request that went out cannot be unsent. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description rpl_… */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Replay"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays/patch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The edit of one delivery as a patch that its whole group can take. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["EditBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EditPatch"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes the sandbox's data. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandbox/leave": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Switches back to the person's own workspace. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandbox/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Switches to the sandbox and starts its simulated systems. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandbox/systems/{name}/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a simulated system's dials stand. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Faults"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        /** Turns the dials that the body names; the others stay. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FaultsPatch"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Faults"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandbox/systems/{name}/received": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a simulated system received and holds. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows: 1 to 500, 50 unless set. */
                    limit?: number;
                };
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Received"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The program, its workspace, and what can be started. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a one-time link that signs a browser in. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SignInLink"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/systems": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every system of the workspace, by name. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Systems"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/systems/{name}/breaker": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens or closes its breaker by hand, or lets it go by itself again. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["HoldBreaker"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["System"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/systems/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops everything that goes to the system; it waits. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["System"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/systems/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets what waits for the system go on. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["System"];
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It does */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counters and histograms since the start, and gauges of now, by integration and destination. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A workspace runs, its ledger answers and takes events. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It does */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description Why not: see the code */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["ProblemDocument"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptedEvent: {
            /** @description The event that had the same id with other bytes. */
            conflict_of?: string | null;
            /** @description The same id and bytes were in the ledger already, as this event: nothing was added. */
            duplicate: boolean;
            event: string;
        };
        Activity: {
            at: components["schemas"]["Time"];
            /** @description The deliveries that it is about. */
            filter?: string | null;
            /** @description `dead`, `replay`, `gate` or `pause`. */
            kind: string;
            text: string;
        };
        /** @description One try. */
        Attempt: {
            batch?: components["schemas"]["AttemptBatch"] | null;
            ended_at?: components["schemas"]["Time"] | null;
            /** @description The base URL of the failover that it went to; null for the system's own. */
            endpoint?: string | null;
            error?: string | null;
            id: string;
            kind?: components["schemas"]["FailureKind"] | null;
            next_due_at?: components["schemas"]["Time"] | null;
            /**
             * Format: int32
             * @description From 1, over all rounds.
             */
            number: number;
            request?: components["schemas"]["SentRequest"] | null;
            response?: components["schemas"]["ReceivedResponse"] | null;
            /** Format: int32 */
            revision: number;
            started_at: components["schemas"]["Time"];
            /** Format: int32 */
            status?: number | null;
            timing: components["schemas"]["Timing"];
            /** @description What set the wait after this attempt: `schedule`, `retry-after`, `replay`, `restart`. */
            waited_for?: string | null;
        };
        /** @description A request that carried several deliveries. */
        AttemptBatch: {
            /** Format: int32 */
            delivered: number;
            /** Format: int32 */
            failed: number;
            /** @description The request's idempotency key: the same for the same set. */
            key: string;
            /** @description In the order in which they went. */
            records: components["schemas"]["BatchRecord"][];
            /**
             * Format: int32
             * @description How many went.
             */
            size: number;
        };
        BatchRecord: {
            delivery: string;
            /** @description Why it failed. */
            message?: string | null;
            /** @description What this request did to it, whatever became of it later. */
            status: components["schemas"]["RecordStatus"];
        };
        BreakerFigure: {
            /**
             * Format: int32
             * @description Within the window.
             */
            calls: number;
            /**
             * Format: int32
             * @description Of these, those that count against the system: `server`, `network`, `unknown`.
             */
            failures: number;
            /** Format: int32 */
            minimum: number;
            next_probe_at?: components["schemas"]["Time"] | null;
            /** Format: double */
            ratio: number;
            /** @description Why it is not simply closed. */
            reason?: string | null;
            since?: components["schemas"]["Time"] | null;
            state: components["schemas"]["BreakerWord"];
            /**
             * Format: int64
             * @description Deliveries behind it; 0 while it is closed.
             */
            waiting: number;
            /** Format: int64 */
            window_ms: number;
        };
        /** @enum {string} */
        BreakerWord: "closed" | "open" | "half-open" | "held-open" | "forced-closed" | "off";
        /** @description Requests on the wire at one time. */
        ConcurrencyFigure: {
            /** Format: int32 */
            max: number;
            /** Format: int32 */
            min: number;
            /** Format: int32 */
            now: number;
        };
        CredentialFigure: {
            /** @description The secret's name. */
            secret?: string | null;
            state: components["schemas"]["CredentialState"];
        };
        /** @enum {string} */
        CredentialState: "ok" | "missing" | "none" | "refused";
        /** @description The record that a request would change, read for the dry run. */
        CurrentRecord: {
            /** @description What the request would change, among the fields that it sends. */
            diff: components["schemas"]["FieldChange"][];
            readable: boolean;
            /** @description Why it could not be read, or what is special about it. */
            reason?: string | null;
            /** Format: int32 */
            status?: number | null;
        };
        DeadFigure: {
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            groups: number;
            /** Format: int64 */
            new_in_window: number;
        };
        DeliveredFigure: {
            /** Format: int64 */
            count: number;
            /**
             * Format: int64
             * @description Delivered or dead in the window.
             */
            ended: number;
            /**
             * Format: double
             * @description Of the window before.
             */
            previous_rate?: number | null;
            /**
             * Format: double
             * @description `count` of `ended`.
             */
            rate?: number | null;
        };
        /** @description One event on its way to one destination. */
        Delivery: components["schemas"]["DeliveryFacts"] & {
            /**
             * Format: int32
             * @description Tries so far, over all rounds.
             */
            attempts: number;
        };
        /** @description Everything about one delivery. `attempts` is the list here; their number is its length. */
        DeliveryDetail: components["schemas"]["DeliveryFacts"] & {
            /** @description Oldest first. */
            attempts: components["schemas"]["Attempt"][];
            /** @description Where it stands and why, in a sentence. */
            explain: string;
            integration_title: string;
            /** @description Where it comes from and what became of it, oldest first. */
            lineage: components["schemas"]["LineageStep"][];
            /** @description The bytes that were or will be sent, oldest first. */
            revisions: components["schemas"]["Revision"][];
            /** @description The same event's other deliveries. */
            siblings: components["schemas"]["Sibling"][];
            split?: components["schemas"]["Split"] | null;
            system_title: string;
            /** @description What happened between receiving and the first attempt. */
            trace: components["schemas"]["TraceStep"][];
            waits_for?: components["schemas"]["WaitsFor"] | null;
        };
        /** @description What is said of a delivery in the list and alone. */
        DeliveryFacts: {
            accepted_at: components["schemas"]["Time"];
            /** @description The event that came earlier under the same id with other bytes. */
            conflict_of?: string | null;
            destination: string;
            due_at?: components["schemas"]["Time"] | null;
            ended_at?: components["schemas"]["Time"] | null;
            event: string;
            /** @description The failure group of a dead letter. */
            group?: string | null;
            id: string;
            integration: string;
            key?: string | null;
            kind?: components["schemas"]["FailureKind"] | null;
            /**
             * Format: int64
             * @description Accepted to confirmed.
             */
            latency_ms?: number | null;
            /**
             * Format: int32
             * @description Tries after which this round gives up; none where the destination was removed.
             */
            max_attempts?: number | null;
            /** @description Of the last failure. */
            message?: string | null;
            reason?: components["schemas"]["HeldReason"] | null;
            /** @description The replay that sent it last. */
            replay?: string | null;
            /** Format: int32 */
            revision: number;
            stage?: components["schemas"]["Stage"] | null;
            state: components["schemas"]["DeliveryState"];
            /**
             * Format: int32
             * @description HTTP status of the last attempt.
             */
            status?: number | null;
            system: string;
            type?: string | null;
        };
        /** @description Newest first. */
        DeliveryPage: {
            items: components["schemas"]["Delivery"][];
            /** @description Cursor of the next page; null on the last one. */
            next?: string | null;
            /**
             * Format: int64
             * @description All that match, counted to at most 10,000.
             */
            total: number;
            /** @description False where counting stopped early. */
            total_exact: boolean;
        };
        /** @enum {string} */
        DeliveryState: "queued" | "sending" | "retrying" | "held" | "delivered" | "dead" | "discarded" | "filtered" | "collected" | "superseded";
        /** @description Exactly one of `filter` and `ids`. */
        DiscardBody: {
            /** @description At least one term. What is on its way or has ended otherwise than dead stays as it is. */
            filter?: string | null;
            /** @description Deliveries, at most 10,000. */
            ids?: string[] | null;
            /** @description For the record; at most 500 characters. */
            reason?: string | null;
        };
        Discarded: {
            /** Format: int64 */
            count: number;
            /** @description To undo it by. */
            id: string;
        };
        /** @description What the signature doctor found out, after the sender was answered. */
        Doctor: {
            /** @description The likeliest first. */
            findings: components["schemas"]["DoctorFinding"][];
            /** @description One sentence. */
            summary: string;
        };
        /** @enum {string} */
        DoctorChange: "other-secret" | "clock" | "body" | "url" | "scheme" | "header" | "prefix";
        DoctorFinding: {
            change: components["schemas"]["DoctorChange"];
            /** @description What to do. */
            fix: string;
            /** @description The request was tried and passes with this change; otherwise it is a hint. */
            sure: boolean;
            text: string;
        };
        /** @description The new body of one delivery. */
        EditBody: {
            /** @description dlv_… */
            delivery: string;
            /** @description JSON, or a string that is the body itself. */
            edit: Record<string, never>;
        };
        /** @description The same edit as JSON Patch (RFC 6902), for a whole set. */
        EditPatch: {
            patch: Record<string, never>[];
        };
        Endpoint: {
            /** @description Deliveries go there now. */
            active: boolean;
            failed_at?: components["schemas"]["Time"] | null;
            next_try_at?: components["schemas"]["Time"] | null;
            state: components["schemas"]["EndpointWord"];
            url: string;
        };
        /** @enum {string} */
        EndpointWord: "ok" | "failed";
        /** @description One accepted input. Its bytes are at `events/{id}/body`. */
        Event: {
            /** @description The event that came earlier under the same id with other bytes. */
            conflict_of?: string | null;
            content_type?: string | null;
            deliveries: components["schemas"]["Sibling"][];
            /** @description As received; signatures are masked. */
            headers: string[][];
            id: string;
            integration: string;
            key?: string | null;
            method: string;
            /** @description What the strict reader noticed, such as `duplicate-keys`. */
            notes: string[];
            path: string;
            query?: string | null;
            received_at: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
            /** @description The sender's own id. */
            source_id?: string | null;
            split?: components["schemas"]["Split"] | null;
            type?: string | null;
            /** @description Of the integration's files when it was accepted. */
            version: string;
        };
        FailingFigure: {
            /**
             * Format: int64
             * @description Failed attempts in the window.
             */
            attempts: number;
            /**
             * Format: int64
             * @description Integrations that fail or do not run.
             */
            integrations: number;
            /** Format: int64 */
            of: number;
            top_kind?: components["schemas"]["FailureKind"] | null;
            /** Format: int32 */
            top_status?: number | null;
        };
        /** @description Dead letters with one fingerprint. */
        FailureGroup: {
            /** Format: int64 */
            count: number;
            destination: string;
            first_at: components["schemas"]["Time"];
            id: string;
            integration: string;
            integration_title: string;
            /**
             * Format: int64
             * @description Distinct keys.
             */
            key_count: number;
            kind: components["schemas"]["FailureKind"];
            last_at: components["schemas"]["Time"];
            message: string;
            /** @description A delivery to look at. */
            sample: string;
            /** @description Dead letters in 24 equal parts of `first_at` to `last_at`. */
            series: number[];
            stage: components["schemas"]["Stage"];
            /** Format: int32 */
            status?: number | null;
            system: string;
        };
        FailureGroups: {
            items: components["schemas"]["FailureGroup"][];
            /** @description Always null: at most 200 groups, largest newest first. */
            next?: string | null;
        };
        /** @enum {string} */
        FailureKind: "rejected" | "rate" | "auth" | "mapping" | "server" | "network" | "unknown";
        Failures: {
            auth: number[];
            mapping: number[];
            network: number[];
            rate: number[];
            rejected: number[];
            server: number[];
            unknown: number[];
        };
        /** @description Where a system's dials stand. A dial that the system does not have is absent. */
        Faults: {
            bad_signature?: components["schemas"]["Share"] | null;
            error_500?: components["schemas"]["Share"] | null;
            /**
             * Format: int64
             * @description Every answer waits this long; 0 to 60,000.
             */
            latency_ms?: number | null;
            miscount?: components["schemas"]["Share"] | null;
            /** @description Connections are refused. */
            outage?: boolean | null;
            partial?: components["schemas"]["Share"] | null;
            /** @description No events are sent. */
            paused?: boolean | null;
            /**
             * Format: double
             * @description Events per second; 0.1 to 100.
             */
            per_second?: number | null;
            rate_429?: components["schemas"]["Rate429"] | null;
            /** @description `firstname` is called `first_name`; the old name is refused. */
            renamed_field?: boolean | null;
        };
        /** @description A change of some dials; the others stay where they are. */
        FaultsPatch: {
            bad_signature?: components["schemas"]["Share"] | null;
            error_500?: components["schemas"]["Share"] | null;
            /**
             * Format: int64
             * @description Every answer waits this long; 0 to 60,000.
             */
            latency_ms?: number | null;
            miscount?: components["schemas"]["Share"] | null;
            /** @description Connections are refused. */
            outage?: boolean | null;
            partial?: components["schemas"]["Share"] | null;
            /** @description No events are sent. */
            paused?: boolean | null;
            /**
             * Format: double
             * @description Events per second; 0.1 to 100.
             */
            per_second?: number | null;
            rate_429?: components["schemas"]["Rate429Patch"] | null;
            /** @description `firstname` is called `first_name`; the old name is refused. */
            renamed_field?: boolean | null;
        };
        /** @description One field that is not the same. */
        FieldChange: {
            /** @description Null where it was not there. */
            from?: Record<string, never> | null;
            /** @description A JSON Pointer (RFC 6901) in a JSON body; else `method`, `path`, `body` or `header:<name>`. */
            path: string;
            /** @description Null where it is not there any more. */
            to?: Record<string, never> | null;
        };
        /** @description What a system allows now. */
        Gate: {
            /** @description `integration/destination`; null: the whole system. */
            destination?: string | null;
            reason?: components["schemas"]["HeldReason"] | null;
            state: components["schemas"]["GateWord"];
            system: string;
            until?: components["schemas"]["Time"] | null;
        };
        /** @enum {string} */
        GateWord: "clear" | "closed" | "paused";
        /** @enum {string} */
        HeldReason: "order" | "breaker" | "rate" | "pause" | "quota" | "credential";
        /** @description What a person makes of a breaker. */
        HoldBreaker: {
            /** @description Why, for the log and for others; at most 500 characters. */
            reason?: string | null;
            state: components["schemas"]["HoldWord"];
        };
        /** @enum {string} */
        HoldWord: "open" | "closed" | "auto";
        /** @description The overview's row (over the last hour) and how the integration is set up. */
        Integration: components["schemas"]["IntegrationRow"] & {
            /** @description Of its webhook on the ingress. */
            path?: string | null;
            problems: components["schemas"]["WorkspaceProblem"][];
            /** @description Kinds, in order. */
            steps: string[];
            /** @description The verify scheme. */
            verify?: string | null;
            /** @description Of its files; null where it does not run. */
            version?: string | null;
        };
        /** @description An integration's own file first, then the schemas and programs that it names, as they are on the disk. */
        IntegrationFiles: {
            files: components["schemas"]["WorkspaceFile"][];
            /** @description Of these bytes, comments too; `POST` takes it as what the edit is based on. */
            version: string;
        };
        IntegrationRow: {
            /** @description Per bucket of the window. */
            accepted: number[];
            /**
             * Format: int64
             * @description Dead letters now.
             */
            dead: number;
            /** Format: int64 */
            delivered: number;
            destinations: string[];
            /**
             * Format: int64
             * @description Delivered or dead in the window.
             */
            ended: number;
            /** @description Failed attempts per bucket of the window. */
            failed: number[];
            name: string;
            /** Format: double */
            p95_ms?: number | null;
            /** Format: int64 */
            queue: number;
            /** Format: double */
            rate?: number | null;
            /** @description The source's kind. */
            source: string;
            state: components["schemas"]["IntegrationState"];
            title: string;
        };
        Integrations: {
            items: components["schemas"]["Integration"][];
            next?: string | null;
            /** @description Problems of files that belong to no integration. */
            problems: components["schemas"]["WorkspaceProblem"][];
        };
        /**
         * @description Worst first. Failing: in the last 5 minutes something died, or attempts failed and under 95 % were confirmed. Slow: p95 of the
         *     last 5 minutes over 2 s. Idle: nothing came in the window and nothing waits.
         * @enum {string}
         */
        IntegrationState: "broken" | "failing" | "paused" | "slow" | "healthy" | "idle";
        /** @description Whether events can be written down. */
        LedgerState: {
            state: components["schemas"]["LedgerWord"];
            /** @description What happened and what to do; null while all is well. */
            text?: string | null;
        };
        /** @enum {string} */
        LedgerWord: "ok" | "disk-full" | "sealed";
        LimitsFigure: {
            /** Format: int32 */
            burst?: number | null;
            /** Format: int32 */
            concurrent?: number | null;
            /** Format: int32 */
            in_flight: number;
            /** Format: double */
            per_second?: number | null;
            /**
             * Format: int32
             * @description Requests that wait for their turn.
             */
            waiting: number;
        };
        /** @description Something that happened to a delivery as a whole. */
        LineageStep: {
            at: components["schemas"]["Time"];
            /** @description Of the replay (rpl_…) or discard (dsc_…). */
            id?: string | null;
            text: string;
            /** @description `accepted`, `retried`, `replayed`, `edited`, `remapped`, `superseded`, `discarded` or `restored`. */
            what: string;
        };
        /** @description What changed since a cursor, and the figures that are always on screen. */
        LiveBatch: {
            /**
             * Format: int64
             * @description Events accepted since the cursor.
             */
            accepted: number;
            at: components["schemas"]["Time"];
            /** @description For the next request. */
            cursor: string;
            /**
             * Format: int64
             * @description Attempts that failed since the cursor.
             */
            failed: number;
            /** @description The cursor was too old or of another start: read everything anew. */
            resync: boolean;
            snapshot: components["schemas"]["Snapshot"];
            /** @description What to read again: `deliveries`, `dead-letters`, `overview`, `systems`, `rejected`, `integrations`, `replays`. */
            tags: string[];
        };
        Misfit: {
            delivery: string;
            reason: string;
        };
        /** @enum {string} */
        NewerWord: "skip" | "send";
        Overview: {
            /** @description Newest first, at most 20; only what the ledger knows. */
            activity: components["schemas"]["Activity"][];
            at: components["schemas"]["Time"];
            /** Format: int64 */
            bucket_seconds: number;
            dead_letters: components["schemas"]["DeadFigure"];
            delivered: components["schemas"]["DeliveredFigure"];
            failing: components["schemas"]["FailingFigure"];
            from: components["schemas"]["Time"];
            /** @description Worst first. */
            integrations: components["schemas"]["IntegrationRow"][];
            last_failure_at?: components["schemas"]["Time"] | null;
            /** @description Accepted to confirmed, over the window. */
            latency_ms: components["schemas"]["Percentiles"];
            ledger: components["schemas"]["LedgerState"];
            process: components["schemas"]["Process"];
            queue: components["schemas"]["QueueFigure"];
            rates: components["schemas"]["Rates"];
            series: components["schemas"]["Series"];
            to: components["schemas"]["Time"];
        };
        /** @description A patch tried on a set, oldest first. */
        PatchCheck: {
            /**
             * Format: int64
             * @description Deliveries it was tried on: at most 1,000, fewer where that took too long.
             */
            checked: number;
            /** @description The first misfits. */
            examples: components["schemas"]["Misfit"][];
            /** Format: int64 */
            fits: number;
            /** Format: int64 */
            misfits: number;
        };
        Percentiles: {
            /** Format: double */
            p50?: number | null;
            /** Format: double */
            p95?: number | null;
            /** Format: double */
            p99?: number | null;
        };
        PercentileSeries: {
            p50: (number | null)[];
            p95: (number | null)[];
            p99: (number | null)[];
        };
        /** @description What changed files would make of stored events. Nothing is sent or saved. */
        Preview: {
            /**
             * Format: int64
             * @description Another request, or one where there was none.
             */
            changed: number;
            /**
             * Format: int64
             * @description Event × destination; the counts that follow add up to it.
             */
            checked: number;
            /** @description False where the time (10 s) ended before all events were looked at. */
            complete: boolean;
            /**
             * Format: int64
             * @description Events that were looked at.
             */
            events: number;
            /** @description The first 50. */
            examples: components["schemas"]["PreviewExample"][];
            /**
             * Format: int64
             * @description Nothing would be sent any more.
             */
            filtered: number;
            /**
             * Format: int64
             * @description Its steps failed, and do not any more.
             */
            mended: number;
            /**
             * Format: int64
             * @description Its steps fail now.
             */
            new_failures: number;
            /** @description Where there is an error, nothing was run. */
            problems: components["schemas"]["WorkspaceProblem"][];
            /** Format: int64 */
            same: number;
            /** Format: double */
            seconds: number;
            /** @description The version that the files would be; empty where they have errors. */
            version: string;
        };
        PreviewBody: {
            /** @description Changed text by path; the other files are as they are on the disk. */
            files: {
                [key: string]: string;
            };
            /** @description Of those deliveries' events only. */
            filter?: string | null;
            /**
             * Format: int32
             * @description Newest stored events: 1 to 1000, 100 unless set.
             */
            last?: number | null;
        };
        PreviewExample: {
            /** @description The body that would be made now. */
            after?: string | null;
            /** @description The body that was made then; null where there was none. */
            before?: string | null;
            destination: string;
            diff: components["schemas"]["FieldChange"][];
            /** @description Why it fails or is filtered now, or why it failed before it was mended. */
            error?: string | null;
            event: string;
            /** @description `changed`, `new-failure`, `mended`, `now-filtered` or `now-sent`. */
            outcome: string;
        };
        /** @description Why an answer is not the wished one. */
        ProblemDocument: {
            /**
             * @description Stable, for programs.
             * @example invalid-filter
             */
            code: string;
            /** @description What happened, to which thing, what to do next. */
            detail: string;
            /** Format: int32 */
            status: number;
            /** @description What was probably meant. */
            suggestion?: string | null;
            title: string;
            /**
             * @description The page about the code: `/errors/<code>`, served by this program.
             * @example /errors/invalid-filter
             */
            type: string;
        };
        Process: {
            /**
             * Format: double
             * @description Of one core.
             */
            cpu_percent: number;
            /** Format: int64 */
            ledger_bytes: number;
            /** Format: int64 */
            rss_bytes: number;
            /** Format: int64 */
            uptime_ms: number;
        };
        QueueFigure: {
            /**
             * Format: int64
             * @description Deliveries that have not ended.
             */
            depth: number;
            /** @description Those that wait for something other than their turn, by reason; replays behind a quota's reserve up to 10,000. */
            held_by: {
                [key: string]: number;
            };
            /** Format: int64 */
            oldest_age_ms?: number | null;
        };
        QueueNow: {
            /** Format: int64 */
            depth: number;
            /** Format: int64 */
            oldest_age_ms?: number | null;
        };
        QuotaFigure: {
            /** @description When the system said so. */
            at: components["schemas"]["Time"];
            /** Format: int64 */
            limit?: number | null;
            name: string;
            /**
             * Format: double
             * @description Used, a moving average.
             */
            per_minute: number;
            /** Format: int64 */
            remaining: number;
            /**
             * Format: int64
             * @description Kept for live traffic: replays wait at it.
             */
            reserve?: number | null;
            resets_at?: components["schemas"]["Time"] | null;
            runs_out_at?: components["schemas"]["Time"] | null;
            /** @description The header that said so. */
            source: string;
            /** Format: int64 */
            window_ms?: number | null;
        };
        Rate429: {
            /**
             * Format: int64
             * @description Seconds, 0 to 86,400.
             */
            retry_after_s: number;
            /**
             * Format: double
             * @description 0 to 1.
             */
            share: number;
        };
        Rate429Patch: {
            /** Format: int64 */
            retry_after_s?: number | null;
            /** Format: double */
            share?: number | null;
        };
        /** @description Per second, over the last seconds. */
        Rates: {
            /** Format: double */
            in_per_s: number;
            /** Format: double */
            out_per_s: number;
        };
        /** @description What a simulated system received and what it holds now. */
        Received: {
            /** @description Newest first. */
            items: components["schemas"]["ReceivedItem"][];
            /** @description Contacts that the system holds. */
            records: number;
            /** @description SHA-256 in hex over the contacts' contents, whatever their order: equal where two systems hold the same. */
            records_hash: string;
            /**
             * Format: int64
             * @description Requests since the start, also those no longer kept.
             */
            total: number;
        };
        ReceivedItem: {
            /** Format: date-time */
            at: string;
            /** @description As text; the first 64 KiB. */
            body: string;
            /** @description The delivery that the idempotency key names. */
            delivery?: string | null;
            idempotency_key?: string | null;
            /** Format: int64 */
            latency_ms?: number | null;
            method: string;
            /** @description With the query. */
            path: string;
            /**
             * Format: int32
             * @description None while it is being answered, and where the caller hung up before.
             */
            status?: number | null;
        };
        ReceivedResponse: {
            body?: string | null;
            body_base64?: string | null;
            headers: string[][];
            /**
             * Format: int64
             * @description Bytes that arrived before reading stopped.
             */
            size: number;
            /** @description More arrived than is kept. */
            truncated: boolean;
        };
        /** @enum {string} */
        RecordStatus: "delivered" | "retrying" | "dead";
        /** @description Newest first. */
        RejectedPage: {
            items: components["schemas"]["RejectedRequest"][];
            next?: string | null;
        };
        RejectedRequest: {
            at: components["schemas"]["Time"];
            /** @description The first 16 KiB, where they are UTF-8. */
            body_preview?: string | null;
            code: string;
            doctor?: components["schemas"]["Doctor"] | null;
            headers: string[][];
            id: string;
            /** @description Null where no integration has the path. */
            integration?: string | null;
            path: string;
            reason: string;
            remote: string;
            /**
             * Format: int64
             * @description Bytes of the whole body, as far as it was read.
             */
            size: number;
            /**
             * Format: int32
             * @description What the sender was answered.
             */
            status: number;
        };
        /** @description A replay's progress, and in the end its report. */
        Replay: {
            canary: boolean;
            /** @description Null where there is no canary, or it has not ended. */
            canary_ok?: boolean | null;
            created_at: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description Died again.
             */
            dead: number;
            /** Format: int64 */
            delivered: number;
            ended_at?: components["schemas"]["Time"] | null;
            /**
             * Format: double
             * @description For what has not started, at the rate set; null when not running.
             */
            eta_seconds?: number | null;
            id: string;
            mode: components["schemas"]["ReplayModeWord"];
            newer: components["schemas"]["NewerWord"];
            /**
             * Format: double
             * @description Per second.
             */
            rate: number;
            reason?: string | null;
            /**
             * Format: int64
             * @description Started so far, those that have ended among them.
             */
            sent: number;
            skipped: components["schemas"]["Skipped"];
            /** @description `planned`, `running`, `paused`, `done`, `cancelled` or `stopped` (by itself: see `stopped_because`). */
            state: string;
            stopped_because?: string | null;
            /** Format: int64 */
            total: number;
            /**
             * Format: int64
             * @description Taken back by an undo before they were sent.
             */
            undone: number;
        };
        /** @description Exactly one of `filter`, `ids` and `plan`. */
        ReplayBody: {
            /** @description Send one first, and the others only when it was confirmed. */
            canary?: boolean | null;
            /** @description Plan only: freezes the set and says what would happen. */
            dry_run?: boolean;
            /** @description A new body for exactly one delivery: JSON, or a string that is sent as it is. */
            edit?: Record<string, never> | null;
            /** @description At least one term; its dead letters. */
            filter?: string | null;
            /** @description Deliveries, at most 10,000. */
            ids?: string[] | null;
            mode?: components["schemas"]["ReplayModeWord"] | null;
            newer?: components["schemas"]["NewerWord"] | null;
            /**
             * @description JSON Patch (RFC 6902) for the body that each of the set would send, after the remap where there is one. Those it
             *     does not fit are skipped.
             */
            patch?: Record<string, never>[] | null;
            /** @description The id of an earlier plan: exactly its set. */
            plan?: string | null;
            /**
             * Format: double
             * @description Per second; 0.1 to 1000, 5 unless set.
             */
            rate?: number | null;
            /** @description For the record; at most 500 characters. */
            reason?: string | null;
        };
        ReplayItem: {
            delivery: string;
            /** @description Why it was skipped or died. */
            message?: string | null;
            /** @description `pending`, `sent`, `delivered`, `dead` or `skipped`. */
            state: string;
        };
        /** @description The items of a replay, oldest delivery first. */
        ReplayItems: {
            items: components["schemas"]["ReplayItem"][];
            /** @description Cursor of the next page; null on the last one. */
            next?: string | null;
        };
        /** @enum {string} */
        ReplayModeWord: "remap" | "exact";
        /** @description What a replay would do. Its set is frozen under `plan`. */
        ReplayPlan: {
            /** @description By `integration/destination`. */
            by_destination: {
                [key: string]: number;
            };
            /** Format: int64 */
            count: number;
            /** @description Gates that the replay would wait for; empty: none. */
            gate: components["schemas"]["Gate"][];
            patch?: components["schemas"]["PatchCheck"] | null;
            plan: string;
            sample_requests: components["schemas"]["SampleRequest"][];
            /**
             * Format: double
             * @description At the planned rate, once the gates allow.
             */
            seconds: number;
            skipped: components["schemas"]["Skipped"];
            /**
             * Format: int64
             * @description Deliveries that have a key, whose order is kept.
             */
            with_key: number;
        };
        Restored: {
            id: string;
            /**
             * Format: int64
             * @description What they were, and due now where they waited.
             */
            restored: number;
            /**
             * Format: int64
             * @description Not sent any more: something newer of their key was delivered while they were discarded.
             */
            superseded: number;
        };
        /** @description The bytes of a delivery after a mapping or an edit. */
        Revision: {
            body?: string | null;
            body_base64?: string | null;
            created_at: components["schemas"]["Time"];
            /** Format: int32 */
            number: number;
            /** @description `mapped`, `remapped` or `edited`. */
            origin: string;
            /** @description The body is longer than the 1 MiB that is shown. */
            truncated: boolean;
        };
        /** @description A request as it would go out. */
        SampleRequest: components["schemas"]["SentRequest"] & {
            /** @description Against the request that was sent last. */
            changes: components["schemas"]["FieldChange"][];
            current?: components["schemas"]["CurrentRecord"] | null;
            delivery: string;
            /** @description It would stay dead: why. The steps fail on it as they are now, or the patch does not fit. */
            fails?: string | null;
        };
        SaveBody: {
            /** @description Text by path; only files of the integration. */
            files: {
                [key: string]: string;
            };
            /** @description The version that was read. */
            version: string;
        };
        /** @description A request as it went out, or would; credentials are masked. */
        SentRequest: {
            /** @description Where the bytes are UTF-8; else null. */
            body?: string | null;
            /** @description Where the bytes are not UTF-8. */
            body_base64?: string | null;
            headers: string[][];
            method: string;
            /** @description The body is longer than the 64 KiB that are shown. */
            truncated: boolean;
            url: string;
        };
        /** @description Equal buckets of the window, oldest first; the last one is not over yet. */
        Series: {
            accepted: number[];
            attempts: number[];
            /** Format: int64 */
            bucket_seconds: number;
            dead: number[];
            delivered: number[];
            /** @description Failed attempts by kind. */
            failures: components["schemas"]["Failures"];
            latency_ms: components["schemas"]["PercentileSeries"];
            oldest_age_ms: (number | null)[];
            /** @description Null where nobody measured: the program did not run. */
            queue_depth: (number | null)[];
            start: components["schemas"]["Time"];
        };
        /** @description The program and its workspace. */
        Session: {
            /** @description Where this API is: `http://host:port`. */
            api: string;
            can_start_sandbox: boolean;
            /** @description Nobody has set anything up: the workspace is empty and no sandbox was ever started. */
            first_run: boolean;
            /** @description Where webhooks come in: `http://host:port`. */
            ingress: string;
            /** @description Of Signalbox. */
            version: string;
            workspace: components["schemas"]["SessionWorkspace"];
        };
        SessionWorkspace: {
            /** @description It has no integrations. */
            empty: boolean;
            name: string;
            path: string;
            /** @description The simulated systems run in it. */
            sandbox: boolean;
        };
        Share: {
            /**
             * Format: double
             * @description 0 to 1.
             */
            share: number;
        };
        Sibling: {
            destination: string;
            id: string;
            state: components["schemas"]["DeliveryState"];
        };
        /** @description A new link to sign a browser in with. */
        SignInLink: {
            /** @description Good for one browser. */
            link: string;
            /**
             * Format: int64
             * @description How long the link works.
             */
            valid_ms: number;
        };
        /** @description Left out of a replay, and why. */
        Skipped: {
            /**
             * Format: int64
             * @description A newer one of the same key was delivered.
             */
            newer: number;
            /**
             * Format: int64
             * @description An earlier dead letter of the same key is in the way.
             */
            parked: number;
            /**
             * Format: int64
             * @description The patch did not fit.
             */
            patch: number;
            /**
             * Format: int64
             * @description Not dead.
             */
            state: number;
        };
        Snapshot: {
            /** Format: int64 */
            dead_letters: number;
            /** @description One for each system, and one for each destination whose gate differs; at most 100. */
            gates: components["schemas"]["Gate"][];
            ledger: components["schemas"]["LedgerState"];
            /**
             * Format: int64
             * @description Things that are wrong in the workspace's files.
             */
            problems: number;
            queue: components["schemas"]["QueueNow"];
            rates: components["schemas"]["Rates"];
            /**
             * Format: int64
             * @description Requests refused at the door since the start.
             */
            rejected: number;
            /** @description Those that run or are paused. */
            replays: components["schemas"]["Replay"][];
        };
        /** @description The place of an event among those that its request was split into. */
        Split: {
            /** @description All that were new, this one too, in the order of the request. */
            events: string[];
            /**
             * Format: int32
             * @description From 1.
             */
            index: number;
            /** Format: int32 */
            of: number;
        };
        /** @enum {string} */
        Stage: "accept" | "validate" | "filter" | "map" | "request" | "deliver" | "confirm";
        System: {
            /** @description The kind of its authentication. */
            auth: string;
            base_url: string;
            breaker: components["schemas"]["BreakerFigure"];
            credential: components["schemas"]["CredentialFigure"];
            destinations: components["schemas"]["SystemDestination"][];
            /** @description `base_url` first; one entry without failover. */
            endpoints: components["schemas"]["Endpoint"][];
            /** @description The most closed one among its destinations. */
            gate: components["schemas"]["SystemGate"];
            /** Format: int32 */
            in_flight: number;
            last_ok_at?: components["schemas"]["Time"] | null;
            limits?: components["schemas"]["LimitsFigure"] | null;
            name: string;
            /** Format: int64 */
            oldest_age_ms?: number | null;
            /**
             * Format: double
             * @description Over the last hour.
             */
            p95_ms?: number | null;
            /** @description Somebody paused the system itself. */
            paused: boolean;
            /** @description What is wrong with its file. */
            problems: components["schemas"]["WorkspaceProblem"][];
            /**
             * Format: int64
             * @description Deliveries to it that have not ended.
             */
            queue: number;
            /** @description As the system's own answers said last. */
            quotas: components["schemas"]["QuotaFigure"][];
            /** @description It is one of the sandbox's. */
            simulated: boolean;
            title: string;
            /** @description When something had to wait for it over the last hour, the oldest first. */
            waits: components["schemas"]["WaitSpan"][];
        };
        SystemDestination: {
            concurrency: components["schemas"]["ConcurrencyFigure"];
            gate: components["schemas"]["SystemGate"];
            integration: string;
            name: string;
            /** @description Somebody paused this destination itself. */
            paused: boolean;
        };
        SystemGate: {
            explain?: string | null;
            reason?: components["schemas"]["HeldReason"] | null;
            state: components["schemas"]["GateWord"];
            until?: components["schemas"]["Time"] | null;
        };
        Systems: {
            items: components["schemas"]["System"][];
            next?: string | null;
        };
        /** @description It is in the ledger, and on its way as any other. */
        TestAccepted: {
            /** @description In the order of the body. */
            events: components["schemas"]["AcceptedEvent"][];
        };
        TestBody: {
            /** @description Sent byte for byte; at most the source's `max_body`. */
            body: string;
            /** @description `application/json` unless set. */
            content_type?: string | null;
            /** @description True unless set: nothing is stored or sent. */
            dry_run?: boolean | null;
            /** @description Value by name: at most 100, 16 KiB together. */
            headers?: {
                [key: string]: string;
            } | null;
        };
        /** @description What would become of the event. Nothing was stored or sent. */
        TestDryRun: {
            /** @description How many events the source makes of it. */
            count: number;
            /** @description The first of them: at most 20, fewer where their steps took longer than 10 s. */
            events: components["schemas"]["TriedEvent"][];
        };
        /**
         * Format: date-time
         * @description RFC 3339 in UTC with milliseconds: 2026-11-21T14:03:18.604Z
         */
        Time: string;
        Timing: {
            /** Format: int64 */
            total_ms?: number | null;
            /**
             * Format: int64
             * @description To the response's headers.
             */
            wait_ms?: number | null;
        };
        /** @description One thing that happened to the event before it was sent. */
        TraceStep: {
            at?: components["schemas"]["Time"] | null;
            detail: string;
            /** @description JSON text, cut at 64 KiB. */
            input?: string | null;
            /** @description `ok`, `failed`, `filtered` or `skipped`. */
            outcome: string;
            output?: string | null;
            /** @description `received`, `verified`, the kinds of the steps, `request`. */
            step: string;
            /**
             * Format: int64
             * @description Microseconds.
             */
            took_us?: number | null;
        };
        /** @description What would happen for one destination. */
        TriedDelivery: {
            destination: string;
            /** @description Which step filters it, or why it would be dead. */
            message?: string | null;
            outcome: components["schemas"]["TriedOutcome"];
            request?: components["schemas"]["SentRequest"] | null;
            stage?: components["schemas"]["Stage"] | null;
            system: string;
            /** @description Where it would be sent: what it would wait for first. One sentence; null where it could go at once. */
            waits?: string | null;
        };
        /** @description An event as its source reads it. */
        TriedEvent: {
            content_type?: string | null;
            /** @description In the order of the integration's file. */
            destinations: components["schemas"]["TriedDelivery"][];
            key?: string | null;
            /** @description What is odd about it: `duplicate-keys`, or an expression that failed. */
            notes: string[];
            /** @description By which repeats are known; null where the source knows none. Whether it came before is not looked up. */
            source_id?: string | null;
            type?: string | null;
        };
        /** @enum {string} */
        TriedOutcome: "sent" | "filtered" | "dead";
        WaitsFor: {
            /**
             * Format: int64
             * @description Deliveries that go before it, counted to at most 10,000.
             */
            ahead?: number | null;
            reason: components["schemas"]["HeldReason"];
            until?: components["schemas"]["Time"] | null;
        };
        WaitSpan: {
            /** @description `breaker`, `rate` (it asked to wait) or `pause`. */
            reason: components["schemas"]["HeldReason"];
            since: components["schemas"]["Time"];
            until?: components["schemas"]["Time"] | null;
        };
        WorkspaceFile: {
            /** @description Relative to the workspace. */
            path: string;
            text: string;
        };
        /** @description Something wrong in a file of the workspace. */
        WorkspaceProblem: {
            code: string;
            /** @description From 1, in characters. */
            column: number;
            /** @description Relative to the workspace. */
            file: string;
            /** @description From 1. */
            line: number;
            message: string;
            /** @description `error` or `warning`. */
            severity: string;
            suggestion?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
