using System.Runtime.InteropServices;
using CloudPeer.Api.Hosting.Identity;

namespace CloudPeer.Api.Data;

/// <summary>Whole files that are there with all their bytes after a crash of the machine, or not at all.</summary>
internal static class DurableFile
{
    private const string Suffix = ".tmp";
    private const int DiskFull = 28, DiskFullOnWindows = 112;

    /// <summary>Writes a file that only this user may read, and returns when it is on the disk under its name. Folders are made where they are missing.</summary>
    /// <exception cref="IOException">It could not be written, or it is not certain that it is on the disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var folder = Path.GetDirectoryName(path)!;
        MakeFolder(folder);
        var temporary = path + Suffix;
        try
        {
            using (var file = DataFolder.OpenPrivate(temporary, FileMode.Create, FileShare.None))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>True for what a write that did not end has left.</summary>
    public static bool IsTemporary(string path) => path.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The name that the file has, or was to get.</summary>
    public static string FinalName(string path) => IsTemporary(path) ? path[..^Suffix.Length] : path;

    /// <summary>True if an error of the file system says that the disk is full.</summary>
    public static bool IsFull(Exception failure) => failure is IOException && (failure.HResult & 0xffff) is DiskFull or DiskFullOnWindows;

    private static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder)!;
        MakeFolder(parent);
        DataFolder.CreateFolder(folder);
        FlushFolder(parent);
    }

    // A new name is on the disk when its folder is. Windows writes names with the files.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Native.Open(folder, 0);
        if (descriptor < 0) throw Failed(folder);
        try
        {
            if (Native.Flush(descriptor) != 0) throw Failed(folder);
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    private static IOException Failed(string folder)
    {
        var error = Marshal.GetLastPInvokeError();
        return new($"{folder} could not be flushed: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    // .NET opens no folders.
    private static class Native
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Flush(int descriptor);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}
