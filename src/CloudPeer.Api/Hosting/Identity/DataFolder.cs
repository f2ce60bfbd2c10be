using System.Diagnostics.CodeAnalysis;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Settings;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting.Identity;

/// <summary>
/// The folder with everything that the server keeps outside of PostgreSQL: private to its user, and, with the embedded store, held
/// by one process at a time.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly FileStream? _lock;

    private DataFolder(string path, FileStream? held)
    {
        Path = path;
        _lock = held;
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>Makes the folder if needed, checks that it can be written, and takes its lock.</summary>
    /// <exception cref="TlfsException">It cannot be used, or another process holds it.</exception>
    public static DataFolder Open(ServerSettings settings) => Open(settings, exclusive: settings.PostgresConnection is null);

    /// <summary>The same beside a server that may be running: for what needs the databases only.</summary>
    /// <exception cref="TlfsException">It cannot be used.</exception>
    public static DataFolder OpenShared(ServerSettings settings) => Open(settings, exclusive: false);

    private static DataFolder Open(ServerSettings settings, bool exclusive)
    {
        var path = settings.DataDir;
        try
        {
            if (!Directory.Exists(path)) CreateFolder(path);
            Probe(path);
            return new(path, exclusive ? Lock(path) : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = DurableFile.IsFull(e) ? Reason.StorageFull : Reason.InputOutput;
            throw new TlfsException(reason, $"the data folder {path} cannot be written: {OneLine(e.Message)}", e);
        }
    }

    /// <summary>Writes and deletes a small file; throws what the system says.</summary>
    public void CheckWritable() => Probe(Path);

    /// <summary>Makes an empty file that only this user may read; stores that open it later keep its mode.</summary>
    public string EnsureFile(string name)
    {
        var file = System.IO.Path.Combine(Path, name);
        using (OpenPrivate(file, FileMode.OpenOrCreate, FileShare.ReadWrite))
            return file;
    }

    /// <summary>Opens a file that only this user may read.</summary>
    public static FileStream OpenPrivate(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = PrivateFile;
        return new(path, options);
    }

    /// <inheritdoc />
    public void Dispose() => _lock?.Dispose();

    /// <summary>Makes a folder that only this user may enter, and those above it.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, PrivateFolder);
    }

    [SuppressMessage("Design", "MA0011", Justification = "The process number is no text for people.")]
    private static void Probe(string path)
    {
        var file = System.IO.Path.Combine(path, $".probe-{Environment.ProcessId}");
        using (var probe = OpenPrivate(file, FileMode.Create, FileShare.ReadWrite))
            probe.WriteByte(0);
        File.Delete(file);
    }

    // Unlike a lock by the presence of a file, this one ends with the process, however it ends.
    private static FileStream Lock(string path)
    {
        try
        {
            return OpenPrivate(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException e) when (!DurableFile.IsFull(e))
        {
            throw new TlfsException(Reason.Busy, $"another server uses the data folder {path}; stop it first, or set CLOUDPEER_DATA_DIR to another folder", e);
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
