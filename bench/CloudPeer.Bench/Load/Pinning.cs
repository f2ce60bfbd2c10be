using System.Globalization;
using CloudPeer.TestKit;

namespace CloudPeer.Bench.Load;

/// <summary>
/// Which processor this process runs on; what it starts inherits that. So it moves to the server's processor, starts the server and its database, and
/// moves to its own.
/// </summary>
internal static class Pinning
{
    private const string ServerProcessor = "0", ClientProcessor = "1";

    /// <summary>Goes where the server is to be.</summary>
    public static Task ToServerAsync() => MoveAsync(ServerProcessor);

    /// <summary>Goes where the client is to be.</summary>
    public static Task ToClientAsync() => MoveAsync(ClientProcessor);

    // All threads there are; a new one inherits the place of the one that starts it.
    private static async Task MoveAsync(string processors)
    {
        var self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        (await ProcessRunner.RunAsync(new("taskset", ["--all-tasks", "--cpu-list", "--pid", processors, self]))).EnsureSuccess();
    }
}
