using Tlfs.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// The host's limits; those of the format are in <see cref="Limits"/>. Each has a test, at the limit and one past it unless it is only told to Kestrel or the host
/// (docs/operations/limits.md).
/// </summary>
internal static class ServerLimits
{
    /// <summary>Bytes of one gRPC message in either direction.</summary>
    public const int FrameBytes = 4 << 20;

    /// <summary>Bytes of one unary request with all its encodings; a stream has no such limit, its frames have.</summary>
    public const int RequestBytes = 8 << 20;

    /// <summary>Documents that one stream may be subscribed to, unless the operator says otherwise.</summary>
    public const int SubscriptionsPerStream = 128;

    /// <summary>The most subscriptions that an operator may allow.</summary>
    public const int MostSubscriptions = 10_000;

    /// <summary>Streams that one device may have open.</summary>
    public const int StreamsPerDevice = 8;

    /// <summary>Pushes of one stream that may be under way; the next frame is read when one is done.</summary>
    public const int PushesPerStream = 16;

    /// <summary>For each of so many bytes a push of a stream takes the place of one more.</summary>
    public const int PushSlotBytes = 256 << 10;

    /// <summary>Bytes of one message of a reconciliation (docs/protocol/reconcile.md §2).</summary>
    public const int ReconcileBytes = 64 << 10;

    /// <summary>Calls of one connection that may be under way.</summary>
    public const int CallsPerConnection = 100;

    /// <summary>Calls that a signature which does not verify costs its device, since checking it is what such calls are after.</summary>
    public const int BadSignatureCalls = 50;

    /// <summary>Bytes per second that a caller has to write while the server waits for a unary request, and to read of an answer.</summary>
    public const int LeastBytesPerSecond = 240;

    /// <summary>How long a caller may be slower than that.</summary>
    public static readonly TimeSpan SlowFor = TimeSpan.FromSeconds(5);

    /// <summary>How long the headers of a request may take.</summary>
    public static readonly TimeSpan RequestHeaders = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection without calls is kept.</summary>
    public static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(130);

    /// <summary>The silence after which a connection with calls is asked whether anybody is there.</summary>
    public static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer may take; then the connection is closed, and its streams with it.</summary>
    public static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(20);

    /// <summary>How long a stop waits for calls and commits under way. The process has ended 20 s after it was asked to.</summary>
    public static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(15);

    /// <summary>How long of that the ends of streams are waited for; the connection of a reader that does not read takes none.</summary>
    public static readonly TimeSpan StreamEnds = TimeSpan.FromSeconds(5);

    /// <summary>How long connections are left open after that, for the clients to read how their streams ended.</summary>
    public static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    /// <summary>How long readiness waits for the database.</summary>
    public static readonly TimeSpan HealthCheck = TimeSpan.FromSeconds(4);
}
