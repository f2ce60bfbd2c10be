namespace CloudPeer.TestKit;

/// <summary>A private, empty folder below the system's temporary folder, deleted with all its content on dispose.</summary>
/// <example><code>using var home = new TempFolder("tlfs-home"); // home.Path, home.File("replica.db")</code></example>
public sealed class TempFolder : IDisposable
{
    /// <summary>Creates the folder; only the current user may enter it (mode 0700).</summary>
    /// <param name="purpose">A word in the folder's name that helps whoever finds one left behind by a killed run.</param>
    public TempFolder(string purpose = "test") => Path = Directory.CreateTempSubdirectory($"cloudpeer-{purpose}-").FullName;

    /// <summary>The absolute path, without a trailing separator.</summary>
    public string Path { get; }

    /// <summary>The absolute path of something inside; nothing is created.</summary>
    /// <param name="relativeParts">Names below the folder, outermost first.</param>
    public string File(params string[] relativeParts) => System.IO.Path.Combine([Path, .. relativeParts]);

    /// <summary>Creates a folder inside and returns its absolute path.</summary>
    /// <param name="relativeParts">Names below the folder, outermost first.</param>
    public string Folder(params string[] relativeParts) => Directory.CreateDirectory(File(relativeParts)).FullName;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!Directory.Exists(Path))
            return;

        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A file that a dying child still writes to must not turn a passed test into a failed one; the folder is temporary anyway.
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Path;
}
