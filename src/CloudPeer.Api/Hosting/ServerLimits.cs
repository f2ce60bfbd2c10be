using Tlfs.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>The host's limits; those of the format are in <see cref="Limits"/>. Each has a test at the limit and one past it.</summary>
internal static class ServerLimits
{
    /// <summary>Bytes of one gRPC message in either direction.</summary>
    public const int FrameBytes = 4 << 20;

    /// <summary>Documents that one stream may be subscribed to.</summary>
    public const int SubscriptionsPerStream = 128;

    /// <summary>Streams that one device may have open.</summary>
    public const int StreamsPerDevice = 8;

    /// <summary>Pushes of one stream that may be under way; the next frame is read when one is done.</summary>
    public const int PushesPerStream = 16;

    /// <summary>Bytes of one message of a reconciliation (docs/protocol/reconcile.md §2).</summary>
    public const int ReconcileBytes = 64 << 10;

    /// <summary>How long a stop waits for calls and commits under way. The process has ended 20 s after it was asked to.</summary>
    public static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(15);

    /// <summary>How long readiness waits for the database.</summary>
    public static readonly TimeSpan HealthCheck = TimeSpan.FromSeconds(4);
}
