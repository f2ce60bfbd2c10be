using CloudPeer.TestKit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>All data of a stopped server, as a backup has it.</summary>
public sealed class ServerCopy : IDisposable
{
    private readonly TempFolder _folder = new("copy");

    internal ServerCopy(PostgresDatabase? database) => Database = database;

    /// <summary>The data folder.</summary>
    public string Folder => _folder.Path;

    /// <summary>The database, if the server has one.</summary>
    public PostgresDatabase? Database { get; }

    public void Dispose() => _folder.Dispose();

    /// <summary>Copies a folder with all that is in it.</summary>
    public static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.GetDirectories(from)) CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }
}
