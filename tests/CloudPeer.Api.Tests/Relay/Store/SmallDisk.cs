using CloudPeer.TestKit;
using Xunit;

namespace CloudPeer.Api.Tests.Relay.Store;

/// <summary>A file system of a few bytes in memory, to be filled.</summary>
/// <param name="path">Where it is mounted.</param>
internal sealed class SmallDisk(string path) : IAsyncDisposable
{
    /// <summary>Mounts it; null where that is not possible.</summary>
    /// <param name="path">An empty folder.</param>
    /// <param name="bytes">Its size.</param>
    public static async Task<SmallDisk?> TryMountAsync(string path, int bytes)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return null;
        var mounted = await ProcessRunner.RunAsync(new("mount", ["-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", path]), TestContext.Current.CancellationToken);
        return mounted.ExitCode == 0 ? new(path) : null;
    }

    public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync(new("umount", ["-l", path]), CancellationToken.None);
}
