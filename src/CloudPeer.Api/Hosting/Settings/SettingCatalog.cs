namespace CloudPeer.Api.Hosting.Settings;

/// <summary>All settings, in the order in which they are shown. <c>docs/operations/configuration.md</c> lists the same ones.</summary>
internal static class SettingCatalog
{
    public static readonly Setting HttpPort = new("HTTP_PORT", "5180", "Port of the pages and of gRPC-Web (HTTP/1.1); 0 takes any free one.");
    public static readonly Setting GrpcPort = new("GRPC_PORT", "5181", "Port of gRPC (HTTP/2 without TLS); 0 takes any free one.");
    public static readonly Setting Bind = new("BIND", "localhost", "Address to listen on: localhost, an IP address, or * for all.");
    public static readonly Setting BaseUrl = new("BASE_URL", "(from BIND and HTTP_PORT)", "The http(s) address of the pages that clients are told.");
    public static readonly Setting GrpcUrl = new("GRPC_URL", "(from BIND and GRPC_PORT)", "The http(s) address of gRPC that clients are told.");
    public static readonly Setting DataDir = new("DATA_DIR", "./data", "Folder for the identity key and the embedded store; made with mode 0700.");
    public static readonly Setting DatabaseUrl = new("DATABASE_URL", "", "postgres://user:password@host:port/name; empty for the embedded SQLite.");
    public static readonly Setting DatabaseListenUrl = new(
        "DATABASE_LISTEN_URL", "", "The same database without a pooler that shares sessions, to hear of other nodes; empty for DATABASE_URL.");
    public static readonly Setting BlobDir = new(
        "BLOB_DIR", "(DATA_DIR/blobs; with PostgreSQL none)", "Folder for large parts of snapshots; with PostgreSQL one that all servers share.");
    public static readonly Setting Name = new("NAME", "cloudpeer", "The server's name as clients show it; at most 64 letters.");
    public static readonly Setting Registration = new("REGISTRATION", "(open on loopback, else closed)", "Who may become a tenant: open or closed.");
    public static readonly Setting Billing = new("BILLING", "off", "Payments; this version knows only off: every account has the plan local.");
    public static readonly Setting LocalPlanBytes = new("LOCAL_PLAN_BYTES", "0", "Storage of the plan local in bytes; 0 for no limit.");
    public static readonly Setting LocalPlanDocuments = new("LOCAL_PLAN_DOCUMENTS", "0", "Documents that an account with the plan local may host; 0 for no limit.");
    public static readonly Setting LocalPlanEnvelopesPerDay = new(
        "LOCAL_PLAN_ENVELOPES_PER_DAY", "0", "Envelopes stored for an account with the plan local between two midnights UTC; 0 for no limit.");
    public static readonly Setting LocalPlanDevices = new(
        "LOCAL_PLAN_DEVICES", "0", "Devices of an account with the plan local that may be connected to one server process at a time; 0 for no limit.");
    public static readonly Setting LocalPlanInboxMessages = new(
        "LOCAL_PLAN_INBOX_MESSAGES", "0", "Messages that may wait for an account with the plan local, up to the 200 that may wait for any; 0 for those.");
    public static readonly Setting LocalPlanAuthorPercent = new(
        "LOCAL_PLAN_AUTHOR_PERCENT", "50", "Percent of the storage of the plan local that one author may use in others' documents; 0 for all of it.");
    public static readonly Setting CallsPerSecond = new("CALLS_PER_SECOND", "500", "Calls and stream frames per second of one device, with bursts of ten seconds; 0 for no limit.");
    public static readonly Setting AddressCallsPerSecond = new(
        "ADDRESS_CALLS_PER_SECOND",
        "100",
        "Calls per second without a session from one address, with bursts of ten seconds; ten times as many of all devices without an account at one; 0 for no limit.");
    public static readonly Setting AccountCallsPerSecond = new(
        "ACCOUNT_CALLS_PER_SECOND", "1000", "Calls and stream frames per second of all devices of one account, with bursts of ten seconds; 0 for no limit.");
    public static readonly Setting AddressConnections = new(
        "ADDRESS_CONNECTIONS", "(0 on loopback, else 1000)", "Open connections of one address, proxies of TRUSTED_PROXIES not counted; 0 for no limit.");
    public static readonly Setting MaxConnections = new("MAX_CONNECTIONS", "20000", "Open connections of all addresses to one port; 0 for no limit.");
    public static readonly Setting MaxSubscriptions = new("MAX_SUBSCRIPTIONS", "128", "Documents that one stream may be subscribed to, from 1 to 10000.");
    public static readonly Setting TrustedProxies = new(
        "TRUSTED_PROXIES", "", "Addresses or networks (10.0.0.0/8), separated by commas, whose X-Forwarded-For is believed; empty for none.");
    public static readonly Setting Reflection = new("REFLECTION", "on", "gRPC reflection: on or off.");
    public static readonly Setting MetricsPort = new("METRICS_PORT", "0", "Port of /metrics for Prometheus, on the address of BIND; keep it from others; 0 for none.");
    public static readonly Setting OtlpUrl = new("OTLP_URL", "", "http(s) address of a collector (OTLP over gRPC) to which traces are sent; empty for none.");
    public static readonly Setting LogFormat = new("LOG_FORMAT", "auto", "Log on standard error: text, json, or auto (text on a terminal and in development).");
    public static readonly Setting LogLevel = new("LOG_LEVEL", "information", "Least level that is logged: trace, debug, information, warning or error.");

    public static readonly IReadOnlyList<Setting> All =
    [
        HttpPort, GrpcPort, Bind, BaseUrl, GrpcUrl, DataDir, DatabaseUrl, DatabaseListenUrl, BlobDir, Name, Registration, Billing, LocalPlanBytes,
        LocalPlanDocuments, LocalPlanEnvelopesPerDay, LocalPlanDevices, LocalPlanInboxMessages, LocalPlanAuthorPercent,
        CallsPerSecond, AccountCallsPerSecond, AddressCallsPerSecond, AddressConnections, MaxConnections, MaxSubscriptions, TrustedProxies, Reflection, MetricsPort,
        OtlpUrl, LogFormat, LogLevel,
    ];
}
