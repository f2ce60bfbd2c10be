using System.Globalization;

namespace CloudPeer.TestKit;

/// <summary>A file system in memory of a few megabytes, to fill up. Mounting one needs Linux and privileges.</summary>
/// <example><code>
/// await using var disk = await SmallDisk.TryMountAsync(folder.Folder("disk"), 3 &lt;&lt; 20);
/// Assert.SkipWhen(disk is null, SmallDisk.Unavailable);
/// </code></example>
public sealed class SmallDisk : IAsyncDisposable
{
    /// <summary>Why there is none.</summary>
    public const string Unavailable = "Mounting a small file system needs privileges that this run does not have.";

    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts one.</summary>
    /// <param name="path">An empty folder.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null if this run may not mount.</returns>
    public static async Task<SmallDisk?> TryMountAsync(string path, int bytes, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return null;
        var size = string.Create(CultureInfo.InvariantCulture, $"size={bytes},mode=700");
        var mounted = await ProcessRunner.RunAsync(new("mount", ["-t", "tmpfs", "-o", size, "tmpfs", path]), cancellationToken);
        return mounted.ExitCode == 0 ? new(path) : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync(new("umount", ["-l", _path]), CancellationToken.None);
}
